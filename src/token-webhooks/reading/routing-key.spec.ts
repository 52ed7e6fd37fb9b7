import { fitsRoutingKey, problemOfWord, routingKeyOf } from './routing-key';

it.each(['github', 'pull_request', 'push-events', 'ключ', 'a:b/c', 'x'.repeat(128)])('%s is a word', (text) => {
  expect(problemOfWord(text)).toBeUndefined();
});

it.each(['a.b', '.', '*', 'a*', '#', 'a b', 'a\tb', 'a\u0000', 'a\ud800', 'a\u00a0b', '', 'x'.repeat(129)])('%j is none', (text) => {
  expect(problemOfWord(text)).toMatch(/^must/);
});

it('is at most 255 bytes', () => {
  const topic = (event: string) => ({ accountId: 'a'.repeat(100), datasource: 'd'.repeat(100), event });
  expect(routingKeyOf({ accountId: '1', datasource: 'github', event: 'push' })).toBe('event.1.github.push');
  expect(fitsRoutingKey(topic('e'.repeat(47)))).toBe(true);
  expect(fitsRoutingKey(topic('e'.repeat(48)))).toBe(false);
  expect(fitsRoutingKey(topic('é'.repeat(24)))).toBe(false);
});
