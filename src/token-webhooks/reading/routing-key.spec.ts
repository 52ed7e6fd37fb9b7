import { fitsRoutingKey, problemOfDatasource, problemOfEvent, readRoutingKey, routingKeyOf } from './routing-key';

it.each(['github', 'pull_request', 'Push Hook', 'ключ', 'a:b/c', 'x'.repeat(128)])('%s may be a datasource and an event', (text) => {
  expect([problemOfDatasource(text), problemOfEvent(text)]).toEqual([undefined, undefined]);
});

it.each(['invoice.paid', '.', 'a..b'])('%s may be an event alone', (text) => {
  expect(problemOfEvent(text)).toBeUndefined();
  expect(problemOfDatasource(text)).toMatch(/^must not hold dots/);
});

it.each(['*', 'a*', '#', ' a', 'a ', 'a\tb', 'a\u0000', 'a\ud800', '', 'x'.repeat(129)])('%j may be neither', (text) => {
  expect(problemOfDatasource(text)).toMatch(/^must/);
  expect(problemOfEvent(text)).toMatch(/^must/);
});

it('a key that was made is read as it was meant', () => {
  for (const event of ['push', 'invoice.paid', 'a..b', '.']) {
    const topic = { accountId: 'acme', datasource: 'stripe', event };
    expect(readRoutingKey(routingKeyOf(topic))).toEqual(topic);
  }
});

it('is at most 255 bytes', () => {
  const topic = (event: string) => ({ accountId: 'a'.repeat(100), datasource: 'd'.repeat(100), event });
  expect(routingKeyOf({ accountId: '1', datasource: 'github', event: 'push' })).toBe('event.1.github.push');
  expect(fitsRoutingKey(topic('e'.repeat(47)))).toBe(true);
  expect(fitsRoutingKey(topic('e'.repeat(48)))).toBe(false);
  expect(fitsRoutingKey(topic('é'.repeat(24)))).toBe(false);
});
