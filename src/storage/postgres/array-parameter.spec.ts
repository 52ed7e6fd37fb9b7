import { arrayParameter } from './array-parameter';

it.each([
  ['int8', [1, null, -5, Number.MAX_SAFE_INTEGER], '{1,NULL,-5,9007199254740991}'],
  ['uuid', ['018f0000-0000-7000-8000-000000000000', undefined], '{018f0000-0000-7000-8000-000000000000,NULL}'],
  ['int4', [], '{}'],
] as const)('sends %s as plain text', (type, values, text) => {
  expect(arrayParameter(type, values)).toBe(text);
});

it.each(['', 'a,b', '{}', '"', 'NULL', {}, true])('lets nothing but a UUID into an array of them: %j', (value) => {
  expect(() => arrayParameter('uuid', [value])).toThrow(TypeError);
});

it('sends text and bytes with their lengths, null as -1', () => {
  const header = (hasNull: number, oid: number, count: number) => [0, 0, 0, 1, 0, 0, 0, hasNull, 0, 0, 0, oid, 0, 0, 0, count, 0, 0, 0, 1];
  expect([...(arrayParameter('text', ['é', null]) as Buffer)]).toEqual([...header(1, 25, 2), 0, 0, 0, 2, 0xc3, 0xa9, 255, 255, 255, 255]);
  expect([...(arrayParameter('bytea', [Uint8Array.of(0, 255)]) as Buffer)]).toEqual([...header(0, 17, 1), 0, 0, 0, 2, 0, 255]);
});
