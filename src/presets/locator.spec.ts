import { parseJson } from '../core/json-slice';
import { locate, locatorProblemOf, readLocator } from './locator';

it.each([
  ['header:X-Kind', { header: 'x-kind' }],
  ['body:event.type', { path: ['event', 'type'] }],
  ['body:items[0].kind', { path: ['items', 0, 'kind'] }],
  ['body:[1]', { path: [1] }],
])('%s says where a text stands', (text, locator) => {
  expect(readLocator(text)).toEqual(locator);
  expect(locatorProblemOf(text)).toBeUndefined();
});

it.each(['', 'x-kind', 'query:type', 'header:', 'header:a b', `header:${'x'.repeat(129)}`, 'body:', 'body:a..b', 'body:a[x]', 'Body:a'])(
  '"%s" does not',
  (text) => {
    expect(readLocator(text)).toBeUndefined();
    expect(locatorProblemOf(text)).toMatch(/^must be /);
  },
);

describe('what is located', () => {
  const body = parseJson(Buffer.from('{"text":"a","big":12345678901234567890,"none":null,"empty":"","list":["x",{"y":"z"}]}'));
  const at = (text: string): string | undefined => locate(readLocator(text)!, { 'x-kind': 'k', 'x-empty': '' }, () => body);

  it.each([
    ['header:X-KIND', 'k'],
    ['header:x-other', undefined],
    ['header:x-empty', undefined],
    ['body:text', 'a'],
    ['body:big', '12345678901234567890'],
    ['body:list[1].y', 'z'],
    ['body:list[2]', undefined],
    ['body:list', undefined],
    ['body:none', undefined],
    ['body:empty', undefined],
    ['body:text.x', undefined],
  ])('at %s is %s', (text, found) => {
    expect(at(text)).toBe(found);
  });

  it('is found in a header without reading the body', () => {
    const unread = (): never => {
      throw new Error('read');
    };
    expect(locate({ header: 'a' }, { a: 'b' }, unread)).toBe('b');
  });
});
