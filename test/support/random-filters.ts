import * as fc from 'fast-check';
import type { PlainEvent, PlainFilter } from './reference-matcher';

/** Few names and values, so that random filters and events meet often enough. */
const APPLICATIONS = ['shop', 'inventory', 'billing'];
const EVENT_TYPES = ['added', 'changed', 'gone', 'order-paid'];
const LEVELS = ['info', 'warning', 'critical'];
const TEXTS = ['', 'rhel', 'fedora', 'debian', 'rhel-9', '5', 'é', '\u{1f600}', 'a\nb'];
const NUMBERS = [0, -1, 1, 5, 9.5, 1e15];
const TIMES = ['2026-11-22T09:30:00Z', '2026-11-22T10:30:00+01:00', '2026-11-22T09:30:00.001Z', '2025-01-01T00:00:00Z', 'yesterday'];
const KEYS = ['os', 'id', 'host', 'items', 'tags', 'a.b', '__proto__', 'constructor', 'length', '0'];

const scalar = fc.constantFrom<unknown>(...TEXTS, ...NUMBERS, true, false, null);

/** A shape that paths below often fit, or anything at all. */
const message = fc.oneof(
  { weight: 4, arbitrary: shaped() },
  { weight: 1, arbitrary: fc.letrec((tie) => ({ any: nested(tie('any')) })).any },
  { weight: 1, arbitrary: scalar },
);

function shaped(): fc.Arbitrary<unknown> {
  const items = fc.array(fc.record({ sku: scalar, price: scalar, tags: fc.array(scalar, { maxLength: 2 }) }, { requiredKeys: [] }), {
    maxLength: 3,
  });
  const host = fc.record({ os: scalar, id: scalar, 'a.b': scalar }, { requiredKeys: [] });
  const list = fc.oneof(scalar, fc.array(fc.oneof(scalar, fc.array(scalar, { maxLength: 1 })), { maxLength: 3 }));
  return fc.record({ host: fc.oneof(host, scalar), items: fc.oneof(items, scalar), tags: list, total: scalar }, { requiredKeys: [] });
}

function nested(inner: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(inner, { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...KEYS), inner, { maxKeys: 3 }),
  );
}

export const anyEvent: fc.Arbitrary<PlainEvent> = fc.record({
  application: fc.constantFrom(...APPLICATIONS),
  eventType: fc.constantFrom(...EVENT_TYPES),
  level: fc.constantFrom(null, ...LEVELS),
  timestamp: fc.constantFrom(...TIMES),
  accountId: fc.constant('default'),
  message,
  context: fc.oneof(fc.constant(null), message),
});

const PATHS = [
  ...['message', 'message.host', 'message.host.os', 'message.host.id', 'message.host["a.b"]', 'message.total', 'message.tags'],
  ...[
    'message.items[*].sku',
    'message.items[*].price',
    'message.items[0].sku',
    'message.items[*].tags',
    'message.items',
    'message.tags[*]',
  ],
  ...['message.__proto__', 'message.constructor', 'message.length', 'message["0"]', 'message[*]', 'message.host.__proto__.os'],
  ...['context', 'context.host.os', 'context.items[*].sku'],
];
const NAME_PATHS = ['application', 'eventType', 'level'];

const text = fc.constantFrom(...TEXTS.filter((member) => member !== ''));
const pattern = fc.constantFrom('^rhel', 'a|5', '[0-9]+$', '^.$', 'fed.ra', '(rhel|debian)-?9?$', '^a.b');
const several = (member: fc.Arbitrary<unknown>) => fc.array(member, { minLength: 1, maxLength: 4 });

const operatorsOn = (value: fc.Arbitrary<unknown>, ordered: fc.Arbitrary<unknown>): fc.Arbitrary<object> => {
  const one = fc.oneof(
    fc.oneof(value, value).map((operand) => ({ $eq: operand })),
    value.map((operand) => ({ $ne: operand })),
    several(value).map((operand) => ({ $in: operand })),
    several(value).map((operand) => ({ $nin: operand })),
    ordered.map((operand) => ({ $gt: operand })),
    ordered.map((operand) => ({ $gte: operand })),
    ordered.map((operand) => ({ $lt: operand })),
    ordered.map((operand) => ({ $lte: operand })),
    fc.boolean().map((operand) => ({ $exists: operand })),
    text.map((operand) => ({ $startsWith: operand })),
    text.map((operand) => ({ $endsWith: operand })),
    pattern.map((operand) => ({ $regex: operand })),
  );
  const both = fc.tuple(one, one).map(([a, b]) => ({ ...a, ...b }));
  return fc.oneof(
    { weight: 4, arbitrary: one },
    both,
    fc.oneof(one, both).map((operators) => ({ $not: operators })),
  );
};

const onPath = (paths: readonly string[], operators: fc.Arbitrary<unknown>) =>
  fc.tuple(fc.constantFrom(...paths), operators).map(([path, wanted]) => ({ [path]: wanted }));

const name = fc.constantFrom(...APPLICATIONS, ...EVENT_TYPES, ...LEVELS);
const time = fc.constantFrom('2026-11-22T09:30:00Z', '2026-11-22T12:30:00+03:00', '2026-01-01');
const ordered = fc.constantFrom<unknown>(...TEXTS, ...NUMBERS);
const clause = fc.oneof(
  { weight: 6, arbitrary: onPath(PATHS, fc.oneof(scalar, operatorsOn(scalar, ordered))) },
  { weight: 1, arbitrary: onPath(NAME_PATHS, fc.oneof(name, operatorsOn(name, name))) },
  { weight: 1, arbitrary: onPath(['timestamp'], fc.oneof(time, operatorsOn(time, time))) },
);

const { where } = fc.letrec<{ where: object; group: object }>((tie) => ({
  where: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 4, arbitrary: clause },
    { weight: 2, arbitrary: fc.tuple(clause, clause).map(([a, b]) => ({ ...a, ...b })) },
    { weight: 2, arbitrary: tie('group') },
  ),
  group: fc.oneof(
    several(tie('where')).map((members) => ({ $and: members })),
    several(tie('where')).map((members) => ({ $or: members })),
    tie('where').map((member) => ({ $not: member })),
    fc.tuple(clause, several(tie('where'))).map(([first, members]) => ({ ...first, $or: members })),
  ),
}));

const names = (all: readonly string[]): fc.Arbitrary<string[]> =>
  fc.oneof(fc.constant<string[]>([]), { weight: 2, arbitrary: fc.subarray([...all], { minLength: 1, maxLength: 2 }) });

export const anyFilter = (withWhere: boolean): fc.Arbitrary<PlainFilter> =>
  fc.record({
    applications: names(APPLICATIONS),
    eventTypes: names(EVENT_TYPES),
    levels: names(LEVELS),
    where: withWhere ? fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight: 5, arbitrary: where }) : fc.constant(null),
  });
