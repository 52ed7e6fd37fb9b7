import { metaReading } from './meta.reading';

const read = (body: object): unknown =>
  metaReading.read({ headers: {}, contentType: 'application/json', body: Buffer.from(JSON.stringify(body)) });

describe('metaReading', () => {
  const messaging = [{ message: { text: 'hi' } }];
  const large = 'x'.repeat(2_000);

  it.each([
    ['id', { object: 'page', entry: [{ id: large, messaging }] }],
    ['time', { object: 'page', entry: [{ time: large, messaging }] }],
    ['object', { object: large, entry: [{ messaging }] }],
  ])('refuses %s that would be repeated in each event and is large', (name, body) => {
    expect(() => read(body)).toThrow(`${name} has more than 1024 bytes`);
  });

  it('refuses more than 1,000 items before it reads one', () => {
    const changes = Array.from({ length: 1_001 }, () => ({ field: 'feed' }));
    expect(() => read({ object: 'page', entry: [{ id: '1', changes }] })).toThrow('more than 1000 events');
  });
});
