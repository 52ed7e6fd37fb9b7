import type { FieldProblem } from '../errors';
import { parseCondition } from './parse-condition';

function problemsOf(where: unknown): FieldProblem[] {
  const problems: FieldProblem[] = [];
  expect(parseCondition(where as Record<string, unknown>, problems)).toBeUndefined();
  return problems;
}

const deep = (levels: number): object => (levels === 0 ? { level: 'a' } : { $and: [deep(levels - 1)] });

describe('conditions that are refused', () => {
  it.each([
    [{ 'data.text': 'x' }, 'where.data.text', 'is no path'],
    [{ '': 'x' }, 'where.', 'is no path'],
    [{ 'message..a': 1 }, 'where.message..a', 'from character 8 on'],
    [{ 'message.a[': 1 }, 'where.message.a[', 'from character 10 on'],
    [{ 'message[a]': 1 }, 'where.message[a]', 'from character 8 on'],
    [{ 'message["\\x"]': 1 }, 'where.message["\\x"]', 'from character 8 on'],
    [{ 'message[-1]': 1 }, 'where.message[-1]', 'from character 8 on'],
    [{ 'level.name': 'x' }, 'where.level.name', 'has nothing inside'],
    [{ [`message${'.a'.repeat(17)}`]: 1 }, `where.message${'.a'.repeat(17)}`, 'at most 16 steps'],
    [{ 'message.os': { $is: 1 } }, 'where.message.os.$is', 'is no operator: the operators are $eq'],
    [{ message: { host: { os: 'rhel' } } }, 'where.message.host', 'is no operator: write message.host'],
    [{ 'message.os': {} }, 'where.message.os', 'must be a value or an object of operators'],
    [{ 'message.os': ['rhel'] }, 'where.message.os', '$in takes an array'],
    [{ $eq: 1 }, 'where.$eq', 'stands behind a path'],
    [{ $nor: [] }, 'where.$nor', 'is none of $and, $or, $not'],
    [{ $and: [] }, 'where.$and', 'must be an array of conditions'],
    [{ $or: { level: 'a' } }, 'where.$or', 'must be an array of conditions'],
    [{ $or: [{ level: 'a' }, {}] }, 'where.$or[1]', 'must be an object of conditions'],
    [{ $or: [null] }, 'where.$or[0]', 'must be an object of conditions'],
    [{ $not: [] }, 'where.$not', 'must be an object of conditions'],
    [{ 'message.os': { $not: 1 } }, 'where.message.os.$not', 'must be an object of operators'],
    [{ 'message.os': { $eq: {} } }, 'where.message.os.$eq', 'must be a text, a number'],
    [{ 'message.os': { $in: 'rhel' } }, 'where.message.os.$in', 'must be an array of 1 to 500 values'],
    [{ 'message.os': { $in: [] } }, 'where.message.os.$in', 'must be an array of 1 to 500 values'],
    [{ 'message.os': { $in: ['a', []] } }, 'where.message.os.$in', '[1] must be a text, a number'],
    [{ 'message.n': { $gt: true } }, 'where.message.n.$gt', 'must be a text or a number'],
    [{ 'message.n': { $gt: null } }, 'where.message.n.$gt', 'must be a text or a number'],
    [{ 'message.n': 2 ** 53 }, 'where.message.n', '2^53-1'],
    [{ 'message.s': 'x'.repeat(1_025) }, 'where.message.s', 'at most 1024 characters'],
    [{ 'message.s': { $startsWith: '' } }, 'where.message.s.$startsWith', 'must be a text of 1 to 1024 characters'],
    [{ 'message.s': { $exists: 1 } }, 'where.message.s.$exists', 'must be true or false'],
    [{ 'message.s': { $regex: '(' } }, 'where.message.s.$regex', 'is no pattern of RE2: missing closing )'],
    [{ 'message.s': { $regex: '(?=a)' } }, 'where.message.s.$regex', 'is no pattern of RE2'],
    [{ 'message.s': { $regex: '(a)\\1' } }, 'where.message.s.$regex', 'is no pattern of RE2'],
    [{ 'message.s': { $regex: 'a{1000}' } }, 'where.message.s.$regex', 'is too large'],
    [{ 'message.s': { $regex: 'a'.repeat(201) } }, 'where.message.s.$regex', 'must have 1 to 200 characters'],
    [{ 'message.s': { $regex: 7 } }, 'where.message.s.$regex', 'must be a pattern'],
    [{ level: 5 }, 'where.level', 'must be a text: level is one'],
    [{ application: null }, 'where.application', 'must be a text: application is one'],
    [{ timestamp: 'yesterday' }, 'where.timestamp', 'must be a date'],
    [{ timestamp: { $gt: 1_700_000_000_000 } }, 'where.timestamp.$gt', 'must be a date'],
    [{ timestamp: { $lt: '2026-13-01' } }, 'where.timestamp.$lt', 'must be a date'],
    [deep(8), `where${'.$and[0]'.repeat(7)}.$and`, 'must not stand more than 8 levels deep'],
    [{ 'message.s': { $in: Array.from({ length: 400 }, () => 'x'.repeat(50)) } }, 'where', 'at most 16384 bytes'],
    [{ $or: Array.from({ length: 101 }, (_, index) => ({ [`message.a${index}`]: 1 })) }, 'where', 'at most 100 clauses'],
    [{ $or: Array.from({ length: 6 }, () => ({ message: { $regex: 'a' } })) }, 'where', 'at most 5 patterns'],
  ])('%j', (where, path, message) => {
    expect(problemsOf(where)).toEqual([{ path, message: expect.stringContaining(message) }]);
  });

  it('are all named at once', () => {
    expect(problemsOf({ level: 5, $or: [{ 'data.x': 1 }, { 'message.n': { $gt: true, $is: 1 } }] }).map(({ path }) => path)).toEqual([
      'where.level',
      'where.$or[0].data.x',
      'where.$or[1].message.n.$gt',
      'where.$or[1].message.n.$is',
    ]);
  });

  it('keep the prototype of objects out', () => {
    expect(problemsOf(JSON.parse('{"__proto__": {"level": "a"}}'))).toMatchObject([{ path: 'where.__proto__' }]);
    expect(problemsOf(JSON.parse('{"message.a": {"__proto__": 1}}'))).toMatchObject([{ path: 'where.message.a.__proto__' }]);
  });
});

it('no conditions are none', () => {
  expect(problemsOf({})).toEqual([]);
});
