import type { FieldProblem } from '../errors';
import type { Condition } from './condition';
import { MAX_ELEMENTS, type Subject } from './condition-path';
import { parseCondition } from './parse-condition';

const subject = (changes: Partial<Subject> = {}): Subject => ({
  application: 'shop',
  eventType: 'order-paid',
  level: null,
  timestamp: '2026-11-22T10:30:00+01:00',
  accountId: 'default',
  message: {
    os: 'rhel',
    total: 10,
    big: 12345678901234567890,
    paid: true,
    note: null,
    tags: ['a', 'b'],
    empty: [],
    items: [{ sku: 'x', price: 1 }, { sku: 'y', price: 20 }, 'no object'],
    'a.b': 1,
    'say "hi"': 2,
    nested: [[1]],
  },
  context: null,
  ...changes,
});

function read(where: object): Condition {
  const problems: FieldProblem[] = [];
  const condition = parseCondition(where as Record<string, unknown>, problems);
  if (!condition) throw new Error(JSON.stringify(problems));
  return condition;
}

describe('a condition', () => {
  it.each([
    ['a value alone is an equality', { 'message.os': 'rhel' }, true],
    ['another value', { 'message.os': 'fedora' }, false],
    ['texts compare by case', { 'message.os': 'RHEL' }, false],
    ['a number is no text of digits', { 'message.total': '10' }, false],
    ['numbers compare by value', { 'message.total': 10.0 }, true],
    ['true is no 1', { 'message.paid': 1 }, false],
    ['null is a value', { 'message.note': null }, true],
    ['what is missing is not null', { 'message.nothing': null }, false],
    ['what is missing differs from every value', { 'message.nothing': { $ne: 1 } }, true],
    ['$ne of what is there', { 'message.os': { $ne: 'rhel' } }, false],
    ['another kind of value differs', { 'message.os': { $ne: 1 } }, true],
    ['$in has it', { 'message.os': { $in: ['fedora', 'rhel'] } }, true],
    ['$in has it as another kind', { 'message.total': { $in: ['10'] } }, false],
    ['$nin of what is missing', { 'message.nothing': { $nin: [1, null] } }, true],
    ['$nin has it', { 'message.total': { $nin: [1, 10] } }, false],
    ['numbers are ordered', { 'message.total': { $gt: 9.5, $lte: 10 } }, true],
    ['several operators all have to hold', { 'message.total': { $gt: 9.5, $lt: 10 } }, false],
    ['texts are ordered', { 'message.os': { $gte: 'r', $lt: 's' } }, true],
    ['a number and a text are not ordered', { 'message.total': { $gt: '1' } }, false],
    ['what is missing is not ordered', { 'message.nothing': { $lt: 1 } }, false],
    ['null is not ordered', { 'message.note': { $lte: 0 } }, false],
    ['a number beyond 2^53 is larger than all below', { 'message.big': { $gt: Number.MAX_SAFE_INTEGER } }, true],
    ['it is there', { 'message.os': { $exists: true } }, true],
    ['null is there', { 'message.note': { $exists: true } }, true],
    ['an empty list is there', { 'message.empty': { $exists: true } }, true],
    ['it is not there', { 'message.nothing': { $exists: false } }, true],
    ['an element is not there', { 'message.items[7]': { $exists: true } }, false],
    ['it begins so', { 'message.os': { $startsWith: 'rh' } }, true],
    ['it ends so', { 'message.os': { $endsWith: 'el' } }, true],
    ['a number begins with nothing', { 'message.total': { $startsWith: '1' } }, false],
    ['a pattern is found anywhere', { 'message.os': { $regex: 'he' } }, true],
    ['a pattern may be anchored', { 'message.os': { $regex: '^he' } }, false],
    ['a pattern may overlook case', { 'message.os': { $regex: '(?i)^RHEL$' } }, true],
    ['$not of operators', { 'message.total': { $not: { $gt: 9, $lt: 11 } } }, false],
    ['$not of what is missing', { 'message.nothing': { $not: { $gt: 1 } } }, true],
    ['$not of conditions', { $not: { 'message.os': 'rhel', 'message.total': 11 } }, true],
    ['$and', { $and: [{ 'message.os': 'rhel' }, { 'message.total': 11 }] }, false],
    ['$or', { $or: [{ 'message.os': 'fedora' }, { 'message.total': 10 }] }, true],
    ['paths and groups all have to hold', { 'message.os': 'rhel', $or: [{ 'message.total': 11 }] }, false],
    ['any element of a list', { 'message.tags': 'b' }, true],
    ['no element of a list', { 'message.tags': { $ne: 'b' } }, false],
    ['an empty list has no element', { 'message.empty': { $eq: 'a' } }, false],
    ['an empty list has none that is equal', { 'message.empty': { $ne: 'a' } }, true],
    ['a list in a list is none of its values', { 'message.nested': 1 }, false],
    ['each element’s member', { 'message.items[*].sku': 'y' }, true],
    ['one element’s member', { 'message.items[0].sku': 'y' }, false],
    ['a name finds nothing in a list', { 'message.items.sku': 'y' }, false],
    ['operators may hold for different elements', { 'message.items[*].price': { $gt: 5, $lt: 10 } }, true],
    ['a wildcard finds nothing in an object', { 'message[*]': { $exists: true } }, false],
    ['any name in quotes', { 'message["a.b"]': 1 }, true],
    ['quotes in quotes', { 'message["say \\"hi\\""]': 2 }, true],
    ['nothing by the prototype', { 'message.constructor': { $exists: true } }, false],
    ['nothing by its prototype’s prototype', { 'message.__proto__.constructor': { $exists: true } }, false],
    ['a list has no length', { 'message.tags.length': 2 }, false],
    ['names of the event', { application: 'shop', eventType: { $startsWith: 'order-' }, accountId: 'default' }, true],
    ['an event without a level has null', { level: null }, true],
    ['an event without a level has no text', { level: { $in: ['critical'] } }, false],
    ['times compare as times', { timestamp: '2026-11-22T09:30:00Z' }, true],
    ['times are ordered as times', { timestamp: { $gte: '2026-11-22T09:30:00.000Z', $lt: '2026-11-22T09:30:01Z' } }, true],
    ['a date is its first moment in UTC', { timestamp: { $gt: '2026-11-22', $lt: '2026-11-23' } }, true],
    ['a time among times', { timestamp: { $in: ['2026-01-01', '2026-11-22T11:30:00+0200'] } }, true],
    ['a time is a text too', { timestamp: { $startsWith: '2026-11-22T10' } }, true],
    ['no context', { 'context.page': { $exists: false } }, true],
  ])('%s: %j is %s', (_rule, where, expected) => {
    expect(read(where).holds(subject())).toBe(expected);
  });

  it.each([
    ['is no JSON', undefined],
    ['is a text', 'text'],
    ['is null', null],
  ])('finds nothing in a message that %s', (_what, message) => {
    expect(read({ 'message.os': { $exists: true } }).holds(subject({ message }))).toBe(false);
    expect(read({ 'message.os': { $ne: 'rhel' } }).holds(subject({ message }))).toBe(true);
  });

  it('does not compare a time that is none', () => {
    expect(read({ timestamp: { $gt: '1970-01-01' } }).holds(subject({ timestamp: 'yesterday' }))).toBe(false);
    expect(read({ timestamp: { $ne: '1970-01-01' } }).holds(subject({ timestamp: 'yesterday' }))).toBe(true);
  });

  it('may ask for the message itself', () => {
    expect(read({ message: { $regex: 'ok$' } }).holds(subject({ message: 'all ok' }))).toBe(true);
    expect(read({ message: 'b' }).holds(subject({ message: ['a', 'b'] }))).toBe(true);
  });

  it(`looks at the first ${String(MAX_ELEMENTS)} elements alone, however they are nested`, () => {
    const list = Array.from({ length: MAX_ELEMENTS + 1 }, (_, index) => index);
    const last = read({ 'message.list': MAX_ELEMENTS - 1 });
    expect(last.holds(subject({ message: { list } }))).toBe(true);
    expect(read({ 'message.list': MAX_ELEMENTS }).holds(subject({ message: { list } }))).toBe(false);
    let looks = 0;
    const counted = {
      get x() {
        looks += 1;
        return 0;
      },
    };
    const rows = Array.from({ length: MAX_ELEMENTS }, () => Array.from({ length: 10 }, () => counted));
    expect(read({ 'message[*][*].x': 1 }).holds(subject({ message: rows }))).toBe(false);
    expect(looks).toBeLessThanOrEqual(MAX_ELEMENTS);
  });

  it.each([
    ['an equality', { 'message.os': 'rhel' }, 'message.os', ['rhel']],
    ['a list', { 'message.os': { $in: [1, 2, 1] } }, 'message.os', [1, 2]],
    ['the shortest', { 'message.a': { $in: [1, 2] }, 'message.b': { $eq: 3 } }, 'message.b', [3]],
    ['one inside of the message first', { level: 'critical', 'message.os': { $in: ['a', 'b'] } }, 'message.os', ['a', 'b']],
    ['one in $and', { $and: [{ $and: [{ level: 'critical' }] }] }, 'level', ['critical']],
  ])('is looked up by %s', (_what, where, path, values) => {
    expect(read(where).key).toMatchObject({ path: { text: path }, values });
  });

  it.each([
    { $or: [{ 'message.os': 'rhel' }, { 'message.os': 'fedora' }] },
    { $not: { 'message.os': 'rhel' } },
    { 'message.os': { $not: { $eq: 'rhel' } } },
    { 'message.os': { $ne: 'rhel' } },
    { 'message.os': { $nin: ['rhel'] } },
    { 'message.os': { $gt: 'rhel' } },
    { timestamp: '2026-11-22T09:30:00Z' },
  ])('is not looked up by what it does not need: %j', (where) => {
    expect(read(where).key).toBeUndefined();
  });

  it('tells of each clause whether it passed, and what it found', () => {
    const condition = read({
      'message.os': { $in: ['rhel', 'fedora'], $not: { $startsWith: 'r' } },
      $or: [{ 'message.items[*].sku': 'z' }, { 'message.nothing': { $exists: false } }],
    });
    expect(condition.trace(subject())).toEqual([
      { at: 'where.message.os.$in', clause: 'message.os $in ["rhel","fedora"]', passed: true, found: ['rhel'] },
      { at: 'where.message.os.$not.$startsWith', clause: 'message.os $startsWith "r"', passed: true, found: ['rhel'] },
      { at: 'where.message.os.$not', clause: '$not', passed: false, found: [] },
      { at: 'where.$or[0].message.items[*].sku', clause: 'message.items[*].sku $eq "z"', passed: false, found: ['x', 'y'] },
      { at: 'where.$or[0]', clause: '$and', passed: false, found: [] },
      { at: 'where.$or[1].message.nothing.$exists', clause: 'message.nothing $exists false', passed: true, found: [] },
      { at: 'where.$or[1]', clause: '$and', passed: true, found: [] },
      { at: 'where.$or', clause: '$or', passed: true, found: [] },
    ]);
  });

  it('shows no more of what it found than one reads', () => {
    const message = { long: 'x'.repeat(5_000), list: Array.from({ length: 50 }, (_, index) => ({ index })), object: { a: { b: 1 } } };
    const found = (where: object) => read(where).trace(subject({ message }))[0]?.found;
    expect(found({ 'message.long': 'x' })).toEqual([`${'x'.repeat(200)}…`]);
    expect(found({ 'message.list': 1 })).toEqual(Array.from({ length: 10 }, () => '(object of 1)'));
    expect(found({ 'message.list': { $exists: true } })).toEqual(['(array of 50)']);
    expect(found({ 'message.object': 1 })).toEqual(['(object of 1)']);
  });
});
