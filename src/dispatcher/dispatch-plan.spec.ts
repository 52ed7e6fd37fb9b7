import type { IncomingEvent, IncomingRequest } from '../core/hook-event';
import { type PlannedEvent, planDispatch } from './dispatch-plan';

const NOW = Date.UTC(2026, 10, 22, 12);
const accounts = new Map([
  ['facebook/page', 'acme'],
  ['whatsapp/phone', 'corp'],
]);
const registry = { accountOfIdentity: (channel: string, externalId: string) => accounts.get(`${channel}/${externalId}`) };
const body = Buffer.from('{"a":1}');

const event = (changes: Partial<IncomingEvent> = {}): IncomingEvent => ({
  application: 'facebook',
  eventType: 'message',
  data: body,
  body,
  contentType: 'application/json',
  ...changes,
});
const request = (events: IncomingEvent[], changes: Partial<IncomingRequest> = {}): IncomingRequest => ({
  requestId: 'r1',
  source: 'facebook',
  receivedAt: NOW,
  events,
  ...changes,
});
const planOne = (changes: Partial<IncomingEvent>, requestChanges: Partial<IncomingRequest> = {}): PlannedEvent => {
  const [planned] = planDispatch([request([event(changes)], requestChanges)], registry, NOW).requests[0]?.events ?? [];
  if (!planned) throw new Error('nothing was planned');
  return planned;
};

describe('the account of an event', () => {
  it.each([
    { says: { accountId: 'named' }, account: 'named' },
    { says: { identity: { channel: 'facebook', externalId: 'page' } }, account: 'acme' },
    { says: { identity: { channel: 'facebook', externalId: 'other' } }, account: 'default' },
    { says: { application: 'whatsapp', identity: { channel: 'facebook', externalId: 'phone' } }, account: 'corp' },
    { says: { application: 'whatsapp', identity: { channel: 'facebook', externalId: 'page' } }, account: 'acme' },
    { says: { identity: { channel: 'facebook', externalId: 'other', fallbackIds: ['another', 'page'] } }, account: 'acme' },
    { says: { application: 'whatsapp', identity: { channel: 'facebook', externalId: 'phone', fallbackIds: ['page'] } }, account: 'corp' },
    { says: { accountId: 'named', identity: { channel: 'facebook', externalId: 'page' } }, account: 'named' },
    { says: { accountId: '' }, account: 'default' },
    { says: {}, account: 'default' },
  ])('$says is $account', ({ says, account }) => {
    expect(planOne(says).stored.accountId).toBe(account);
  });
});

describe('the key of an event', () => {
  it.each([
    { dedupeKey: 'm_1', key: 'facebook:default:m_1' },
    { dedupeKey: undefined, key: 'facebook:default:r1#0' },
  ])('by $dedupeKey is $key', ({ dedupeKey, key }) => {
    expect(planOne(dedupeKey === undefined ? {} : { dedupeKey }).key).toBe(key);
  });

  it.each([
    { what: 'longer than an index entry', dedupeKey: 'x'.repeat(10_000) },
    { what: 'with a NUL', dedupeKey: 'a\0b' },
    { what: 'with half a character', dedupeKey: '\ud800' },
  ])('$what is replaced by its hash', ({ dedupeKey }) => {
    expect(planOne({ dedupeKey }).key).toMatch(/^facebook:default:sha256:[0-9a-f]{64}$/);
  });

  it('cannot be another account’s key', () => {
    const ours = planOne({ accountId: 'a:b', dedupeKey: 'c' }).key;
    const theirs = planOne({ accountId: 'a', dedupeKey: 'b:c' }).key;
    expect(ours).not.toBe(theirs);
  });

  it('is inserted once, in order', () => {
    const plan = planDispatch(
      [
        request([event({ dedupeKey: 'b' }), event({ dedupeKey: 'c' })]),
        request([event({ dedupeKey: 'a' }), event({ dedupeKey: 'b' })], { requestId: 'r2' }),
      ],
      registry,
      NOW,
    );
    expect(plan.keyRows.map((row) => row.key)).toEqual(['facebook:default:a', 'facebook:default:b', 'facebook:default:c']);
    expect(plan.keyRows[1]).toMatchObject({ request_id: 'r1', created_at: NOW });
  });
});

describe('what is stored of an event', () => {
  it('has no NUL and no endless name in its text', () => {
    const { stored } = planOne(
      { application: 'face\0book', eventType: '\0', level: 'l\0'.repeat(500), timestamp: 't'.repeat(500), contentType: 'c'.repeat(5_000) },
      { requestId: '\0r1' },
    );
    expect(stored).toMatchObject({ application: 'facebook', eventType: '', requestId: 'r1' });
    expect([stored.level, stored.timestamp, stored.contentType].map((text) => text?.length)).toEqual([64, 64, 256]);
  });

  it('keeps the very bytes', () => {
    const { stored } = planOne({ data: body.subarray(5, 6) });
    expect(stored.body).toBe(body);
    expect(stored.data.toString()).toBe('1');
  });

  it.each([
    { timestamp: '2020-01-01T00:00:00+01:00', receivedAt: NOW, stored: '2020-01-01T00:00:00+01:00' },
    { timestamp: undefined, receivedAt: NOW - 1_000, stored: '2026-11-22T11:59:59.000Z' },
    { timestamp: undefined, receivedAt: Number.NaN, stored: '2026-11-22T12:00:00.000Z' },
  ])('happened at $stored', ({ timestamp, receivedAt, stored }) => {
    expect(planOne(timestamp === undefined ? {} : { timestamp }, { receivedAt }).stored.timestamp).toBe(stored);
  });
});
