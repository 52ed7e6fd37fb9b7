import { type Path, type Subject, someValue } from './condition-path';
import { boundedText, foundValue } from './found-value';
import { type Operator, type Scalar, type ValueTest, isScalar } from './operators';

export interface Clause {
  kind: 'clause';
  /** Where it stands, such as `where.$or[1].message.host.os.$in`. */
  at: string;
  path: Path;
  name: string;
  operator: Operator;
  operand: unknown;
  test: ValueTest;
}

export interface Group {
  kind: '$and' | '$or' | '$not';
  at: string;
  /** Of `$not` all of them together are negated. */
  members: readonly Node[];
}

export type Node = Clause | Group;

/** What became of one clause, or of one group of them, for one event. */
export interface ClauseResult {
  at: string;
  /** For people, such as `message.host.os $in ["rhel","fedora"]`; of a group its operator. */
  clause: string;
  passed: boolean;
  /** The values that stand at the path, the first ten, long ones cut; empty where nothing does. */
  found: Scalar[];
}

/** One of these values has to stand at the path. */
export interface Key {
  path: Path;
  values: readonly Scalar[];
}

const MAX_FOUND = 10;

/** Conditions of a filter, compiled. */
export class Condition {
  /** An equality that has to hold, by which filters can be looked up; undefined when there is none. */
  readonly key: Key | undefined;

  /** @param root All of its clauses have to hold. */
  constructor(private readonly root: Group) {
    this.key = bestKey(keysOf(root));
  }

  holds(subject: Subject): boolean {
    return holds(this.root, subject);
  }

  /** The clauses in the order in which they stand, each group after its members. */
  trace(subject: Subject): ClauseResult[] {
    return this.root.members.flatMap((member) => trace(member, subject));
  }
}

function holds(node: Node, subject: Subject): boolean {
  switch (node.kind) {
    case 'clause':
      return someValue(node.path, subject, node.operator.intoLists, node.test) !== node.operator.isNegated(node.operand);
    case '$and':
      return node.members.every((member) => holds(member, subject));
    case '$or':
      return node.members.some((member) => holds(member, subject));
    case '$not':
      return !node.members.every((member) => holds(member, subject));
  }
}

function trace(node: Node, subject: Subject): ClauseResult[] {
  const passed = holds(node, subject);
  if (node.kind !== 'clause') {
    return [...node.members.flatMap((member) => trace(member, subject)), { at: node.at, clause: node.kind, passed, found: [] }];
  }
  const { at, path, name, operator, operand } = node;
  const found: Scalar[] = [];
  someValue(path, subject, operator.intoLists, (value) => found.push(foundValue(value)) === MAX_FOUND);
  return [{ at, clause: boundedText(`${path.text} ${name} ${JSON.stringify(operand)}`), passed, found }];
}

/** Equalities that hold wherever the group does. */
function keysOf({ members }: Group): Key[] {
  return members.flatMap((node): Key[] => {
    if (node.kind === '$and') return keysOf(node);
    if (node.kind !== 'clause' || node.path.field === 'timestamp') return [];
    if (node.name === '$eq' && isScalar(node.operand)) return [{ path: node.path, values: [node.operand] }];
    return node.name === '$in' ? [{ path: node.path, values: [...new Set(node.operand as Scalar[])] }] : [];
  });
}

/** A value in the message tells events better apart than what the lists of a filter ask for anyway; then, the fewer values the better. */
function bestKey(keys: Key[]): Key | undefined {
  const isInside = ({ path }: Key): number => (path.steps.length > 0 ? 0 : 1);
  return keys.sort((a, b) => isInside(a) - isInside(b) || a.values.length - b.values.length)[0];
}
