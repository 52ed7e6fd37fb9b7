import { acquireEngines, ENGINE_SETS, type Engines } from '../support/engines';
import { eventually } from '../support/eventually';
import { batchOf, FacebookSender, newMessageId } from '../support/facebook-sender';
import { Gateway } from '../support/gateway';
import { AUTOMATE_SECRET, COORDINATOR_SECRET, otpOf, OtpService } from '../support/otp-service';

const HANDOVER = '00000000-0000-7000-8000-000000000001';

describe.each(ENGINE_SETS)('a handover on %s', (set) => {
  let engines: Engines;
  let gateway: Gateway;
  let facebook: FacebookSender;
  let agents: OtpService;
  let coordinator: OtpService;
  let pages = 0;

  beforeAll(async () => {
    engines = await acquireEngines(set);
    [agents, coordinator] = await Promise.all([OtpService.start(AUTOMATE_SECRET), OtpService.start(COORDINATOR_SECRET)]);
    gateway = await Gateway.ready({
      ...engines.options,
      env: {
        // Nothing of the operator's own settings needs this.
        EGRESS_ALLOW: 'none',
        HOOK_SERVER_AUTOMATE_OTP_SECRET: `${AUTOMATE_SECRET},${COORDINATOR_SECRET}`,
        HOOK_SERVER_WEB_API_URL: agents.url,
        THREAD_COORDINATOR_URL: coordinator.url,
        THREAD_COORDINATOR_OTP_SECRET: COORDINATOR_SECRET,
        DELIVERY_RETRY_SCHEDULE: '0.5,0.5',
      },
    });
    facebook = new FacebookSender(gateway.url);
  });
  beforeEach(() => {
    agents.answer = () => ({ status: 204 });
    coordinator.answer = () => ({ status: 204 });
  });
  afterAll(async () => {
    await facebook?.close();
    await gateway?.remove();
    await Promise.all([agents?.stop(), coordinator?.stop()]);
    await engines?.release();
  });

  /** The thread of a page that nobody has written to yet. */
  const newThread = (): { pageId: string; threadId: string } => {
    const pageId = `page-${++pages}`;
    return { pageId, threadId: `facebook:${pageId}:USER_1` };
  };

  const say = async (pageId: string, text: string): Promise<void> => {
    expect((await facebook.post(batchOf([newMessageId()], pageId, text))).status).toBe(200);
  };

  const isKept = (threadId: string, statements: number): Promise<true> =>
    eventually(`the thread ${threadId} is kept`, async () => {
      const { status, body } = await gateway.get(`/api/v1/threads/${encodeURIComponent(threadId)}`);
      return status === 200 && body.statementCount === statements;
    });

  const handOver = async (threadId: string, more: object = {}): Promise<void> => {
    const answer = await gateway.call('POST', '/automate', { threadId, ...more }, { 'x-otp': otpOf(AUTOMATE_SECRET) });
    expect(answer).toMatchObject({ status: 202, body: { status: 'accepted' } });
  };

  const deliveryOf = async (threadId: string): Promise<{ id: string; status: string }> => {
    const { data } = await gateway.must(200, 'GET', `/api/v1/events?application=automate&eventType=handover&limit=200`);
    for (const { id } of data as { id: string }[]) {
      const event = await gateway.must(200, 'GET', `/api/v1/events/${id}`);
      if (event.data?.threadId === threadId) return event.deliveries.find((each: { endpointId: string }) => each.endpointId === HANDOVER);
    }
    throw new Error(`There is no handover of ${threadId}`);
  };

  /** What the coordinator has been told of the thread, once it was told so often and everything is settled. */
  const toldOf = async (threadId: string, times = 1): Promise<object[]> => {
    await eventually(`${times} outcomes of ${threadId}`, () => coordinator.callsOf(threadId, 'owner').length >= times);
    await gateway.drained();
    return coordinator.callsOf(threadId, 'owner').map(({ body }) => body as object);
  };

  it('passes the thread to the agents and tells the coordinator that they own it, once each', async () => {
    const { pageId, threadId } = newThread();
    await say(pageId, 'is anybody there?');
    await say(pageId, 'a person, please');
    await isKept(threadId, 2);
    await handOver(threadId, { source: 'facebook', companyId: 42, reason: 'asked for a person', requestedAt: '2026-11-22T12:00:00Z' });
    expect(await toldOf(threadId)).toEqual([{ owner: 'agent', status: 'delivered', at: expect.stringMatching(/^\d{4}-.*Z$/) }]);
    expect(agents.callsOf(threadId, 'handover')).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        body: {
          threadId,
          source: 'facebook',
          companyId: 42,
          reason: 'asked for a person',
          requestedAt: '2026-11-22T12:00:00Z',
          statementCount: 2,
          statements: [
            expect.objectContaining({ threadId, channel: 'facebook', author: 'USER_1', text: 'is anybody there?', attachments: [] }),
            expect.objectContaining({ text: 'a person, please' }),
          ],
        },
      },
    ]);
  });

  it('hands a thread over again later, with the same words', async () => {
    const { pageId, threadId } = newThread();
    await say(pageId, 'hello');
    await isKept(threadId, 1);
    await handOver(threadId);
    const later = await gateway.call('POST', '/automate', { threadId }, { 'x-otp': otpOf(AUTOMATE_SECRET, 30) });
    expect(later.status).toBe(202);
    expect(await toldOf(threadId, 2)).toHaveLength(2);
    expect(agents.callsOf(threadId, 'handover')).toHaveLength(2);
  });

  it('is done once for a request with its time, by whichever code it comes again', async () => {
    const { pageId, threadId } = newThread();
    await say(pageId, 'hello');
    await isKept(threadId, 1);
    const body = { threadId, requestedAt: Date.now() };
    for (const seconds of [0, 30]) {
      const answer = await gateway.call('POST', '/automate', body, { 'x-otp': otpOf(AUTOMATE_SECRET, seconds) });
      expect(answer.status).toBe(202);
    }
    expect(await toldOf(threadId)).toHaveLength(1);
    expect(agents.callsOf(threadId, 'handover')).toHaveLength(1);
  });

  it('gives a handover of a missing thread up with its reason, tells the coordinator, and goes on when the thread is there', async () => {
    const { pageId, threadId } = newThread();
    await handOver(threadId);
    expect(await toldOf(threadId)).toMatchObject([{ owner: 'bot', status: 'dead' }]);
    const delivery = await deliveryOf(threadId);
    expect(delivery).toMatchObject({ status: 'dead', reason: 'thread_not_found' });
    const dead = await gateway.must(200, 'GET', `/api/v1/deliveries?status=dead&endpointId=${HANDOVER}&deadClass=pipeline`);
    expect((dead.data as { id: string }[]).map(({ id }) => id)).toContain(delivery.id);
    expect(agents.callsOf(threadId, 'handover')).toEqual([]);

    await say(pageId, 'at last');
    await isKept(threadId, 1);
    await gateway.call('POST', `/api/v1/deliveries/${delivery.id}/retry`);
    await eventually('the agents have it', () => agents.callsOf(threadId, 'handover').length === 1);
    expect(await toldOf(threadId, 2)).toMatchObject([
      { owner: 'bot', status: 'dead' },
      { owner: 'agent', status: 'delivered' },
    ]);
  });

  it('retries what either refuses, and disables neither', async () => {
    const { pageId, threadId } = newThread();
    await say(pageId, 'hello');
    await isKept(threadId, 1);
    const refusals = { agents: [500, 410], coordinator: [503] };
    agents.answer = () => ({ status: refusals.agents.shift() ?? 204 });
    coordinator.answer = () => ({ status: refusals.coordinator.shift() ?? 204 });
    await handOver(threadId);
    expect(await toldOf(threadId, 2)).toMatchObject([{ owner: 'agent' }, { owner: 'agent' }]);
    const calls = agents.callsOf(threadId, 'handover');
    expect(calls).toHaveLength(3);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(1);
    expect(new Set(coordinator.callsOf(threadId, 'owner').map(({ id }) => id)).size).toBe(1);
    expect(await gateway.must(200, 'GET', `/api/v1/endpoints/${HANDOVER}`)).toMatchObject({ enabled: true, type: 'handover' });
  });

  it('lets one of twenty identical requests in, and two different ones by the same code', async () => {
    const { pageId, threadId } = newThread();
    await say(pageId, 'hello');
    await isKept(threadId, 1);
    const code = { 'x-otp': otpOf(AUTOMATE_SECRET) };
    const post = (n: number): Promise<number> =>
      gateway.call('POST', '/automate', { threadId, projectId: n }, code).then(({ status }) => status);
    const statuses = await Promise.all(Array.from({ length: 20 }, () => post(1)));
    expect(statuses.sort()).toEqual([202, ...Array<number>(19).fill(409)]);
    expect(await Promise.all([post(2), post(3)])).toEqual([202, 202]);
    expect(await toldOf(threadId, 3)).toHaveLength(3);
    expect(agents.callsOf(threadId, 'handover')).toHaveLength(3);
  });

  it('waits, seen to be not configured, until the agents’ application is set', async () => {
    const { pageId, threadId } = newThread();
    await gateway.terminate();
    gateway.start({ HOOK_SERVER_WEB_API_URL: '', DELIVERY_RETRY_SCHEDULE: '0.5,600' });
    await gateway.becomesReady();
    expect(gateway.log).toContain('hookServer.webApiUrl is not set');
    expect(await gateway.must(200, 'GET', '/api/v1/channels/automate')).toMatchObject({
      state: { missingSettings: ['hookServer.webApiUrl'] },
    });
    await say(pageId, 'hello');
    await isKept(threadId, 1);
    await handOver(threadId);
    const delivery = await eventually('it was tried twice', async () => {
      const found = await gateway.must(200, 'GET', `/api/v1/deliveries/${(await deliveryOf(threadId)).id}`);
      return found.attemptCount === 2 && found;
    });
    expect(delivery).toMatchObject({ status: 'waiting', attempts: [{ code: 'not_configured' }, { code: 'not_configured' }] });
    await gateway.terminate();
    gateway.start();
    await gateway.becomesReady();
    await gateway.call('POST', `/api/v1/deliveries/${delivery.id}/retry`);
    await eventually('the agents have it', () => agents.callsOf(threadId, 'handover').length === 1);
    expect(await toldOf(threadId)).toMatchObject([{ owner: 'agent' }]);
  });

  it('accounts for everything', async () => {
    const { accepted, delivered, filtered, duplicate, dead, cancelled, pending } = await gateway.drained();
    expect(pending).toBe(0);
    expect(accepted).toBe(delivered + filtered + duplicate + dead + cancelled);
    // Nothing came to either service without a right password.
    for (const service of [agents, coordinator]) {
      expect(service.received.length).toBeGreaterThan(5);
      expect(service.received.every(({ headers }) => /^\d{6}$/.test(String(headers['x-otp'])))).toBe(true);
    }
  });
});
