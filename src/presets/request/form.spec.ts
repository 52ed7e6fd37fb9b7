import { Form } from './form';

it('signs names in the order of their characters, each before each of its different values', () => {
  expect(Form.parse('b=1&A=2&a=3&B=&Z=x+y%2B&Digits=5678&Digits=1234&Digits=1234').signedText()).toBe('A2BDigits1234Digits5678Zx y+a3b1');
});

it.each([
  ['', {}],
  ['a=1&b=&c&=d&&e=%F0%9F%98%80+%2B', { a: '1', b: '', c: '', '': 'd', e: '😀 +' }],
  ['b=2&1=x&a=1&b=3', { b: ['2', '3'], 1: 'x', a: '1' }],
  ['?a=1', { '?a': '1' }],
  ['a=100%&b=%zz&c=%FF&d=%00', { a: '100%', b: '%zz', c: '\ufffd', d: '\u0000' }],
  ['a=x=y', { a: 'x=y' }],
])('reads %j', (text, expected) => {
  expect(JSON.parse(Form.parse(text).toJson().toString())).toEqual(expected);
});

it('keeps the order, and names that mean something to JavaScript', () => {
  const json = Form.parse('z=1&__proto__=2&10=a&constructor=3&"=4').toJson().toString();
  expect(json).toBe('{"z":"1","__proto__":"2","10":"a","constructor":"3","\\"":"4"}');
});

it('finds the first value of a name, and nothing where it is empty', () => {
  const form = Form.parse('a=1&a=2&b=');
  expect([form.get('a'), form.get('b'), form.get('c'), form.get('__proto__')]).toEqual(['1', undefined, undefined, undefined]);
});

it('takes a thousand parameters and not one more', () => {
  const withParameters = (count: number): string => Array.from({ length: count }, (_, index) => `p${index}=1`).join('&');
  expect(Form.parse(withParameters(1_000)).isEmpty).toBe(false);
  expect(() => Form.parse(withParameters(1_001))).toThrow(expect.objectContaining({ code: 'body_too_large' }));
  expect(() => Form.parse('&'.repeat(3_000_000))).toThrow(expect.objectContaining({ code: 'body_too_large' }));
});
