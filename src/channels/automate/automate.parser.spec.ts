import { parseAutomate } from './automate.parser';

const parse = (body: object, step?: string) =>
  parseAutomate({
    requestId: 'r',
    receivedAt: 1,
    contentType: 'application/json',
    body: Buffer.from(JSON.stringify(body)),
    ...(step !== undefined && { attributes: { 'otp-step': step } }),
  });

describe('parseAutomate', () => {
  it('sends a handover to the agents’ application, whatever the filters say', () => {
    expect(parse({ threadId: 'a', companyId: 42 }, '7')).toMatchObject({
      application: 'automate',
      eventType: 'handover',
      to: ['00000000-0000-7000-8000-000000000001'],
      identity: { channel: 'automate', externalId: '42' },
    });
  });

  it('knows a request with its time by thread and time, whatever its code and words', () => {
    const keys = [
      parse({ threadId: 'a', requestedAt: 5, reason: 'x' }, '7').dedupeKey,
      parse({ threadId: 'a', requestedAt: 5, reason: 'y' }, '8').dedupeKey,
    ];
    expect(keys).toEqual(['a at 5', 'a at 5']);
    expect(parse({ threadId: 'b', requestedAt: 5 }, '7').dedupeKey).toBe('b at 5');
  });

  it('knows one without by its code’s step and its bytes', () => {
    const key = parse({ threadId: 'a' }, '7').dedupeKey;
    expect(key).toMatch(/^7 [0-9a-f]{64}$/);
    expect(parse({ threadId: 'a' }, '7').dedupeKey).toBe(key);
    expect(parse({ threadId: 'a' }, '8').dedupeKey).not.toBe(key);
    expect(parse({ threadId: 'a', reason: '' }, '7').dedupeKey).not.toBe(key);
    // Put into the queue by others: the request's id is the key.
    expect(parse({ threadId: 'a' }).dedupeKey).toBeUndefined();
  });
});
