import { arrayParameter } from './array-parameter';

const header = (hasNull: number, oid: number, count: number) => [
  ...[0, 0, 0, 1, 0, 0, 0, hasNull],
  ...[0, 0, oid >> 8, oid & 255, 0, 0, 0, count, 0, 0, 0, 1],
];
const NULL = [255, 255, 255, 255];

it.each([
  ['int2', 21, [-2], [0, 0, 0, 2, 255, 254]],
  ['int4', 23, [1, null], [0, 0, 0, 4, 0, 0, 0, 1, ...NULL]],
  ['int8', 20, [Number.MAX_SAFE_INTEGER], [0, 0, 0, 8, 0, 31, 255, 255, 255, 255, 255, 255]],
  ['int8', 20, [-5, undefined], [0, 0, 0, 8, 255, 255, 255, 255, 255, 255, 255, 251, ...NULL]],
  ['uuid', 2950, ['018f00Ff-0000-7000-8000-00000000000a'], [0, 0, 0, 16, 1, 143, 0, 255, 0, 0, 112, 0, 128, 0, 0, 0, 0, 0, 0, 10]],
  ['int4', 23, [], []],
] as const)('sends %s in binary', (type, oid, values, bytes) => {
  const hasNull = values.some((value) => value === null || value === undefined) ? 1 : 0;
  expect([...arrayParameter(type, values)]).toEqual([...header(hasNull, oid, values.length), ...bytes]);
});

it.each([
  ['int8', 1.5],
  ['int8', 2 ** 53],
  ['int8', '1'],
  ['int4', 2 ** 31],
  ['int2', true],
] as const)('lets nothing but a whole number that fits into an array of %s: %j', (type, value) => {
  expect(() => arrayParameter(type, [value])).toThrow();
});

const ID = '018f0000-0000-7000-8000-000000000000';

it.each(['', 'a,b', 'NULL', {}, true, ID.replaceAll('-', ''), `${ID}0`, ID.replace('-', '0'), ID.replace('f', 'g'), ID.replace('f', 'é')])(
  'lets nothing but a UUID into an array of them: %j',
  (value) => {
    expect(() => arrayParameter('uuid', [value])).toThrow(TypeError);
  },
);

it('sends text and bytes with their lengths, null as -1', () => {
  expect([...arrayParameter('text', ['é', null])]).toEqual([...header(1, 25, 2), 0, 0, 0, 2, 0xc3, 0xa9, ...NULL]);
  expect([...arrayParameter('bytea', [Uint8Array.of(0, 255)])]).toEqual([...header(0, 17, 1), 0, 0, 0, 2, 0, 255]);
});
