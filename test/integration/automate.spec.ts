import { Logger } from '@nestjs/common';
import { GatewayError } from '../../src/core/errors';
import { newId } from '../../src/core/ids';
import { ThreadStore } from '../../src/threads/thread-store';
import { eventually } from '../support/eventually';
import { AUTOMATE_SECRET, COORDINATOR_SECRET, otpOf, OtpService, wrongOtp } from '../support/otp-service';
import { type Answer, ENGINES, RestApp } from './rest-app';

const HANDOVER = '00000000-0000-7000-8000-000000000001';
const OWNER = '00000000-0000-7000-8000-000000000002';

describe.each(ENGINES)('the channel automate on %s', (engine) => {
  let app: RestApp;
  let agents: OtpService;
  let coordinator: OtpService;
  let threads = 0;

  beforeAll(async () => {
    [agents, coordinator] = await Promise.all([OtpService.start(AUTOMATE_SECRET), OtpService.start(COORDINATOR_SECRET)]);
    app = await RestApp.start(engine, {
      HOOK_SERVER_AUTOMATE_OTP_SECRET: AUTOMATE_SECRET,
      HOOK_SERVER_WEB_API_URL: `${agents.url}`,
      THREAD_COORDINATOR_URL: coordinator.url,
      THREAD_COORDINATOR_OTP_SECRET: COORDINATOR_SECRET,
    });
  });
  afterAll(async () => {
    await app?.close();
    await Promise.all([agents?.stop(), coordinator?.stop()]);
  });

  const post = (body: unknown, code = otpOf(AUTOMATE_SECRET)): Promise<Answer> =>
    app.call('POST', '/automate', body, { key: null, headers: { 'x-otp': code } });

  const store = (): ThreadStore => app.app.get(ThreadStore, { strict: false });

  /** A thread in which something was said. */
  async function kept(text = 'hello'): Promise<string> {
    const threadId = `facebook:1:${++threads}`;
    const said = { threadId, channel: 'facebook', accountId: 'default', author: 'USER_1', own: false, text, attachments: [], at: 1 };
    await store().write([{ ...said, eventId: newId() }]);
    return threadId;
  }

  const deliveriesTo = async (endpointId: string): Promise<{ id: string; status: string; attemptCount: number }[]> =>
    (await app.must(200, 'GET', `/api/v1/deliveries?endpointId=${endpointId}&limit=200`)).data;

  const outcomesOf = (threadId: string, times = 1): Promise<object[]> =>
    eventually(`${times} outcomes`, () => {
      const calls = coordinator.callsOf(threadId, 'owner');
      return calls.length >= times && calls.map(({ body }) => body as object);
    });

  it.each([
    { what: 'no thread', body: { source: 'facebook' }, path: 'threadId' },
    { what: 'a thread that is no text', body: { threadId: 7 }, path: 'threadId' },
    { what: 'an empty thread', body: { threadId: '' }, path: 'threadId' },
    { what: 'a thread with a space', body: { threadId: 'a b' }, path: 'threadId' },
    { what: 'a thread that is another path', body: { threadId: '..' }, path: 'threadId' },
    { what: 'a thread of 513 characters', body: { threadId: 'a'.repeat(513) }, path: 'threadId' },
    { what: 'a company that is a list', body: { threadId: 'a', companyId: [1] }, path: 'companyId' },
    { what: 'a company that is no whole number', body: { threadId: 'a', companyId: 1.5 }, path: 'companyId' },
    { what: 'a reason without end', body: { threadId: 'a', reason: 'a'.repeat(2_001) }, path: 'reason' },
    { what: 'a time that is none', body: { threadId: 'a', requestedAt: 'yesterday' }, path: 'requestedAt' },
    { what: 'a day that is none', body: { threadId: 'a', requestedAt: '2026-02-30T00:00:00Z' }, path: 'requestedAt' },
    { what: 'a field that is not known', body: { threadId: 'a', priority: 1 }, path: 'priority' },
    { what: 'a list', body: [{ threadId: 'a' }], path: '' },
  ])('refuses $what with 422', async ({ body, path }) => {
    const answer = await post(body);
    expect(answer).toMatchObject({ status: 422, body: { code: 'validation_failed', problems: [{ path }] } });
    // Nothing of it is used up: the same again is told the same.
    expect((await post(body)).status).toBe(422);
  });

  it('shows the endpoints that the settings make, and refuses to change them', async () => {
    expect(await app.must(200, 'GET', `/api/v1/endpoints/${HANDOVER}`)).toMatchObject({
      accountId: 'default',
      type: 'handover',
      url: `${agents.url}threads/{threadId}/handover`,
      enabled: true,
      disablePolicy: { kind: 'never' },
      properties: { managedBy: 'hookServer.webApiUrl' },
    });
    expect(await app.must(200, 'GET', `/api/v1/endpoints/${OWNER}`)).toMatchObject({
      type: 'owner',
      url: `${coordinator.url}threads/{threadId}/owner`,
      properties: { managedBy: 'threadCoordinator.url' },
    });
    const changes: [string, string, unknown?][] = [
      ['PATCH', '', { url: 'http://127.0.0.1:1/' }],
      ['DELETE', ''],
      ['POST', '/disable'],
      ['POST', '/enable'],
      ['POST', '/rotate-secret'],
      ['POST', '/test'],
    ];
    for (const [method, action, body] of changes) {
      const answer = await app.call(method, `/api/v1/endpoints/${HANDOVER}${action}`, body);
      expect([action, answer.status, answer.body.code]).toEqual([action, 409, 'conflict']);
      expect(answer.body.detail).toContain('hookServer.webApiUrl');
    }
  });

  it('encodes what a path cannot hold, and leaves the rest of a thread’s id as it is', async () => {
    const threadId = 'twilio:+15550001:whatsapp:+1555%/?#2';
    const said = { threadId, channel: 'twilio', accountId: 'default', author: '+1555', own: false, text: 'hi', attachments: [], at: 1 };
    await store().write([{ ...said, eventId: newId() }]);
    expect((await post({ threadId })).status).toBe(202);
    await outcomesOf(threadId);
    const paths = agents.received.map(({ path }) => path);
    expect(paths).toContain('/threads/twilio:+15550001:whatsapp:+1555%25%2F%3F%232/handover');
  });

  it('prefers the thread of the account that the company belongs to, and finds another’s', async () => {
    await app.must(201, 'POST', '/api/v1/accounts', { id: 'acme' });
    await app.must(201, 'POST', '/api/v1/accounts/acme/identities', { channel: 'automate', externalId: 'acme-inc' });
    const shared = await kept('of default');
    const said = { threadId: shared, channel: 'facebook', author: 'USER_1', own: false, attachments: [], at: 2 };
    await store().write([{ ...said, accountId: 'acme', text: 'of acme', eventId: newId() }]);
    const foreign = await kept('of default too');
    for (const threadId of [shared, foreign]) {
      expect((await post({ threadId, companyId: 'acme-inc' })).status).toBe(202);
      await outcomesOf(threadId);
    }
    const textOf = (threadId: string): string => agents.callsOf(threadId, 'handover')[0]!.body.statements[0].text as string;
    expect([textOf(shared), textOf(foreign)]).toEqual(['of acme', 'of default too']);
    const { data } = await app.must(200, 'GET', '/api/v1/events?accountId=acme&application=automate');
    expect((data as { eventType: string }[]).map(({ eventType }) => eventType).sort()).toEqual(['handover', 'handover', 'owner', 'owner']);
  });

  it('waits for a thread store that is away, without an attempt, and goes on when it is back', async () => {
    const threadId = await kept();
    const find = store().find.bind(store());
    store().find = () => Promise.reject(new GatewayError('thread_store_unavailable'));
    const before = new Set((await deliveriesTo(HANDOVER)).map(({ id }) => id));
    expect((await post({ threadId })).status).toBe(202);
    const waiting = await eventually('it waits', async () => {
      const [delivery] = (await deliveriesTo(HANDOVER)).filter(({ id }) => !before.has(id));
      return delivery?.status === 'waiting' && delivery;
    });
    expect(waiting.attemptCount).toBe(0);
    store().find = find;
    expect(await outcomesOf(threadId)).toMatchObject([{ owner: 'agent', status: 'delivered' }]);
    expect(await app.must(200, 'GET', `/api/v1/deliveries/${waiting.id}`)).toMatchObject({ status: 'delivered', attemptCount: 1 });
  });

  it('says once that a thread is missing, and shows the handover until the thread is found', async () => {
    const warned = jest.spyOn(Logger.prototype, 'warn');
    const threadId = `facebook:late:${engine}`;
    type Shown = { threadId: string; deliveryId: string; attemptCount: number };
    const shown = async (): Promise<Shown[]> => (await app.must(200, 'GET', '/api/v1/channels/automate')).state.withoutThread;
    const tried = (times: number): Promise<Shown> =>
      eventually(`it was tried ${times} times`, async () =>
        (await shown()).find((each) => each.threadId === threadId && each.attemptCount === times),
      );
    try {
      expect((await post({ threadId })).status).toBe(202);
      const handover = await tried(1);
      expect(handover).toEqual({
        threadId,
        deliveryId: expect.any(String),
        attemptCount: 1,
        acceptedAt: expect.stringMatching(/Z$/),
        nextAttemptAt: expect.stringMatching(/Z$/),
      });
      await app.call('POST', `/api/v1/deliveries/${handover.deliveryId}/retry`);
      await tried(2);
      const lines = warned.mock.calls.map(([text]) => String(text)).filter((text) => text.includes(threadId));
      expect(lines).toEqual([
        expect.stringMatching(/^The handover of facebook:late:\w+ \(event [0-9a-f-]{36}\) waits: there is no such thread/),
      ]);

      const said = {
        threadId,
        channel: 'facebook',
        accountId: 'default',
        author: 'USER_1',
        own: false,
        text: 'hi',
        attachments: [],
        at: 1,
      };
      await store().write([{ ...said, eventId: newId() }]);
      await app.call('POST', `/api/v1/deliveries/${handover.deliveryId}/retry`);
      await outcomesOf(threadId);
      expect(await shown()).not.toContainEqual(expect.objectContaining({ threadId }));
    } finally {
      warned.mockRestore();
    }
  });

  it.each(['one', 'all'])('tells the coordinator that the bot keeps the thread when somebody cancels %s', async (which) => {
    const threadId = `facebook:nobody:${which}`;
    const before = new Set((await deliveriesTo(HANDOVER)).map(({ id }) => id));
    expect((await post({ threadId })).status).toBe(202);
    const { id } = await eventually('it was tried', async () => {
      const [delivery] = (await deliveriesTo(HANDOVER)).filter((each) => !before.has(each.id));
      return delivery?.attemptCount === 1 && delivery.status === 'waiting' && delivery;
    });
    if (which === 'one') expect((await app.call('POST', `/api/v1/deliveries/${id}/cancel`)).status).toBeLessThan(300);
    else expect((await app.call('POST', '/api/v1/deliveries/cancel', { filter: { endpointId: HANDOVER } })).status).toBeLessThan(300);
    expect(await outcomesOf(threadId)).toMatchObject([{ owner: 'bot', status: 'cancelled' }]);
    await app.ledger();
  });

  it('locks an address after five wrong codes, says for how long, and keeps no code in the list of refusals', async () => {
    for (let count = 1; count <= 5; count++)
      expect((await post({ threadId: 'a' }, wrongOtp(AUTOMATE_SECRET))).body.code).toBe('otp_invalid');
    const locked = await post({ threadId: 'a' });
    expect(locked).toMatchObject({ status: 429, body: { code: 'otp_locked' } });
    expect(Number(locked.headers.get('retry-after'))).toBeGreaterThan(890);
    await eventually('it is listed', async () => {
      const { data } = await app.must(200, 'GET', '/api/v1/requests?outcome=rejected&limit=1');
      return (data as { code: string }[]).some(({ code }) => code === 'otp_locked');
    });
    const kept = await app.storage.db.selectFrom('requests').select('headers').where('code', 'in', ['otp_invalid', 'otp_locked']).execute();
    expect(kept.map(({ headers }) => (JSON.parse(headers) as Record<string, string>)['x-otp'])).toEqual(Array(6).fill('***'));
  });
});
