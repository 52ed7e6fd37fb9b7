import { setTimeout as wait } from 'node:timers/promises';
import { ElasticsearchStandIn } from '../support/elasticsearch';
import { acquireEngines, ENGINE_SETS, type Engines } from '../support/engines';
import { eventually } from '../support/eventually';
import { batchOf, FacebookSender, newMessageId } from '../support/facebook-sender';
import { Gateway } from '../support/gateway';
import { AUTOMATE_SECRET, COORDINATOR_SECRET, otpOf, OtpService } from '../support/otp-service';
import { Receiver } from '../support/receiver';
import { TcpProxy } from '../support/tcp-proxy';

/** `npm run test:long` sets a minute. */
const AWAY_SECONDS = Number(process.env.THREADS_AWAY_SECONDS ?? 6);

describe.each(ENGINE_SETS)('a handover while the thread store is away, on %s', (set) => {
  const elasticsearch = new ElasticsearchStandIn();
  let proxy: TcpProxy;
  let engines: Engines;
  let gateway: Gateway;
  let facebook: FacebookSender;
  let agents: OtpService;
  let coordinator: OtpService;
  let subscriber: Receiver;

  beforeAll(async () => {
    const proxied = await TcpProxy.inFrontOf(await elasticsearch.listen());
    proxy = proxied.proxy;
    engines = await acquireEngines(set);
    [agents, coordinator] = await Promise.all([OtpService.start(AUTOMATE_SECRET), OtpService.start(COORDINATOR_SECRET)]);
    subscriber = await Receiver.start();
    gateway = await Gateway.ready({
      ...engines.options,
      env: {
        ELASTICSEARCH_URL: proxied.url,
        HOOK_SERVER_AUTOMATE_OTP_SECRET: AUTOMATE_SECRET,
        HOOK_SERVER_WEB_API_URL: agents.url,
        THREAD_COORDINATOR_URL: coordinator.url,
        THREAD_COORDINATOR_OTP_SECRET: COORDINATOR_SECRET,
        DELIVERY_RETRY_SCHEDULE: '1,1,1,1,1,2,2,2,5,5',
      },
    });
    await gateway.subscribe(subscriber.url, {}, { applications: ['facebook'] });
    facebook = new FacebookSender(gateway.url);
  });
  afterAll(async () => {
    await facebook?.close();
    await gateway?.remove();
    await Promise.all([agents?.stop(), coordinator?.stop(), subscriber?.stop(), proxy?.stop()]);
    await elasticsearch.close();
    await engines?.release();
  });

  const threadOf = (page: string): string => `facebook:${page}:USER_1`;
  const say = async (page: string, text: string): Promise<void> => {
    expect((await facebook.post(batchOf([newMessageId()], page, text))).status).toBe(200);
  };
  const statementsOf = async (page: string): Promise<number> => {
    const { status, body } = await gateway.get(`/api/v1/threads/${threadOf(page)}`);
    return status === 200 ? (body.statementCount as number) : 0;
  };
  const handOver = async (page: string): Promise<void> => {
    const answer = await gateway.call('POST', '/automate', { threadId: threadOf(page) }, { 'x-otp': otpOf(AUTOMATE_SECRET) });
    expect(answer.status).toBe(202);
  };

  it(
    `for ${AWAY_SECONDS} s: it is accepted, delays nothing else, and arrives with the whole thread`,
    async () => {
      await say('known', 'before');
      await eventually('the thread is kept', async () => (await statementsOf('known')) === 1);

      proxy.cut();
      const end = Date.now() + AWAY_SECONDS * 1_000;
      await say('known', 'meanwhile');
      await say('new', 'begun meanwhile');
      await Promise.all(['known', 'new'].map(handOver));
      await eventually('messages are delivered all the same', () => subscriber.received.length === 3);
      await wait(Math.max(0, end - Date.now())); // the length of the outage is the test's input, nothing is waited for
      expect(agents.received).toEqual([]);
      expect(coordinator.received).toEqual([]);
      expect((await gateway.get('/health/live')).status).toBe(200);

      proxy.restore();
      for (const page of ['known', 'new']) {
        await eventually('the outcome is told', () => coordinator.callsOf(threadOf(page), 'owner').length > 0, { deadlineMs: 60_000 });
      }
      await gateway.drained();
      for (const page of ['known', 'new']) {
        expect(coordinator.callsOf(threadOf(page), 'owner').map(({ body }) => body as object)).toMatchObject([{ owner: 'agent' }]);
        expect(agents.callsOf(threadOf(page), 'handover')).toHaveLength(1);
      }
      expect(agents.callsOf(threadOf('known'), 'handover')[0]?.body.statements[0].text).toBe('before');
      expect(agents.callsOf(threadOf('new'), 'handover')[0]?.body.statements[0].text).toBe('begun meanwhile');
      expect([await statementsOf('known'), await statementsOf('new')]).toEqual([2, 1]);
    },
    (AWAY_SECONDS + 120) * 1_000,
  );
});
