import { cleanText } from './clean-text';

it.each([
  ['page', 10, 'page'],
  ['a\u0000b\nc\u007f', 10, 'a\ufffdb\ufffdc\ufffd'],
  ['\ud800x\udc00', 10, '\ufffdx\ufffd'],
  ['Grüße 😀', 20, 'Grüße 😀'],
  ['abcdef', 3, 'abc'],
  ['ab😀', 3, 'ab\ufffd'],
])('%j within %d characters is %j', (text, maxLength, cleaned) => {
  expect(cleanText(text, maxLength)).toBe(cleaned);
});
