import { type FieldProblem, MAX_PROBLEMS } from '../errors';
import { type Clause, Condition, type Group, type Node } from './condition';
import { type Path, parsePath } from './condition-path';
import { OPERATORS, isScalar } from './operators';

/** Of its JSON text. */
const MAX_BYTES = 16_384;
/** Levels of `$and`, `$or` and `$not` in one another. */
const MAX_DEPTH = 8;
const MAX_CLAUSES = 100;
/** A pattern costs more than all else. */
const MAX_PATTERNS = 5;

const GROUPS = ['$and', '$or', '$not'] as const;

/**
 * Reads the conditions of a filter, an object such as `{"message.host.os": {"$in": ["rhel", "fedora"]}}`.
 * @param problems Gets one entry per thing that is wrong, with its path from `at` on.
 * @returns undefined when anything is wrong, or when the object is empty and so asks for nothing.
 */
export function parseCondition(where: Record<string, unknown>, problems: FieldProblem[], at = 'where'): Condition | undefined {
  const before = problems.length;
  if (Buffer.byteLength(JSON.stringify(where)) > MAX_BYTES) {
    problems.push({ path: at, message: `must have at most ${String(MAX_BYTES)} bytes as JSON` });
    return undefined;
  }
  const reader = new Reader(problems);
  const members = reader.members(where, at, 1);
  if (reader.clauses > MAX_CLAUSES) problems.push({ path: at, message: `must have at most ${String(MAX_CLAUSES)} clauses` });
  if (reader.patterns > MAX_PATTERNS) problems.push({ path: at, message: `must have at most ${String(MAX_PATTERNS)} patterns` });
  return problems.length > before || members.length === 0 ? undefined : new Condition({ kind: '$and', at, members });
}

class Reader {
  clauses = 0;
  patterns = 0;

  constructor(private readonly problems: FieldProblem[]) {}

  members(where: Record<string, unknown>, at: string, depth: number): Node[] {
    return Object.entries(where).flatMap(([key, value]) => this.member(key, value, `${at}.${key.slice(0, 512)}`, depth));
  }

  private member(key: string, value: unknown, at: string, depth: number): Node[] {
    if (isGroup(key)) return this.group(key, value, at, depth);
    if (key.startsWith('$')) {
      return this.wrong(at, OPERATORS.has(key) ? `stands behind a path: {"message": {"${key}": …}}` : `is none of ${GROUPS.join(', ')}`);
    }
    const path = parsePath(key);
    return typeof path === 'string' ? this.wrong(at, path) : this.ofPath(path, value, at);
  }

  private group(kind: Group['kind'], value: unknown, at: string, depth: number): Node[] {
    if (depth >= MAX_DEPTH) return this.wrong(at, `must not stand more than ${String(MAX_DEPTH)} levels deep`);
    if (kind === '$not') {
      if (!isObject(value) || isEmpty(value)) return this.wrong(at, 'must be an object of conditions');
      return [{ kind, at, members: this.members(value, at, depth + 1) }];
    }
    if (!Array.isArray(value) || value.length === 0) return this.wrong(at, 'must be an array of conditions');
    const members = value.flatMap((member: unknown, index): Node[] => {
      const path = `${at}[${String(index)}]`;
      if (!isObject(member) || isEmpty(member)) return this.wrong(path, 'must be an object of conditions');
      return [{ kind: '$and', at: path, members: this.members(member, path, depth + 1) }];
    });
    return [{ kind, at, members }];
  }

  /** A value alone is an equality; several operators all have to hold. */
  private ofPath(path: Path, value: unknown, at: string): Node[] {
    if (isScalar(value)) return this.clause(path, '$eq', value, at);
    if (Array.isArray(value)) return this.wrong(at, 'must be a value or an object of operators; $in takes an array');
    if (!isObject(value) || isEmpty(value)) return this.wrong(at, 'must be a value or an object of operators');
    return Object.entries(value).flatMap(([name, operand]) => {
      const where = `${at}.${name.slice(0, 64)}`;
      if (name !== '$not') return this.clause(path, name, operand, where);
      if (!isObject(operand)) return this.wrong(where, 'must be an object of operators');
      return [{ kind: '$not' as const, at: where, members: this.ofPath(path, operand, where) }];
    });
  }

  private clause(path: Path, name: string, operand: unknown, at: string): Node[] {
    const operator = OPERATORS.get(name);
    if (!operator) {
      const hint = name.startsWith('$')
        ? `the operators are ${[...OPERATORS.keys()].join(', ')}, $not`
        : `write ${path.text}.${name.slice(0, 64)}`;
      return this.wrong(at, `is no operator: ${hint}`);
    }
    this.clauses += 1;
    if (name === '$regex') this.patterns += 1;
    const message = this.patterns > MAX_PATTERNS ? undefined : operator.problem(operand, path);
    if (message !== undefined) return this.wrong(at, message);
    const clause: Clause = { kind: 'clause', at, path, name, operator, operand, test: operator.test(operand as never, path) };
    return [clause];
  }

  private wrong(path: string, message: string): [] {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push({ path, message });
    return [];
  }
}

const isGroup = (key: string): key is Group['kind'] => (GROUPS as readonly string[]).includes(key);
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isEmpty = (value: object): boolean => Object.keys(value).length === 0;
