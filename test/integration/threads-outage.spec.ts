import { Broker } from '../../src/broker/broker';
import { signatureOf } from '../support/facebook-sender';
import { ElasticsearchStandIn } from '../support/elasticsearch';
import { eventually } from '../support/eventually';
import { APP_SECRET } from '../support/gateway';
import { Receiver } from '../support/receiver';
import { TcpProxy } from '../support/tcp-proxy';
import { RestApp } from './rest-app';

const THREAD = '/api/v1/threads/facebook:111111:USER';

/** The whole gateway with its threads in Elasticsearch, which can be taken away from it. */
describe('while Elasticsearch is away', () => {
  let standIn: ElasticsearchStandIn;
  let proxy: TcpProxy;
  let receiver: Receiver;
  let gateway: RestApp;
  let sent = 0;

  beforeAll(async () => {
    standIn = new ElasticsearchStandIn();
    const front = await TcpProxy.inFrontOf(await standIn.listen());
    proxy = front.proxy;
    receiver = await Receiver.start();
    gateway = await RestApp.start('sqlite', { HOOK_SERVER_FACEBOOK_APP_SECRET: APP_SECRET, ELASTICSEARCH_URL: front.url });
    await gateway.subscribe(receiver.url);
  });
  afterAll(async () => {
    await gateway?.close();
    await receiver?.stop();
    await proxy?.stop();
    await standIn?.close();
  });

  /** So many messages, each a request of its own. */
  const say = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index++) {
      sent += 1;
      const message = { mid: `m.${sent}`, text: `word${sent}` };
      const messaging = [{ sender: { id: 'USER' }, recipient: { id: '111111' }, timestamp: 1_700_000_000_000 + sent, message }];
      const body = JSON.stringify({ object: 'page', entry: [{ id: '111111', time: 1, messaging }] });
      await gateway.must(200, 'POST', '/facebook', body, { key: null, headers: { 'x-hub-signature-256': signatureOf(body) } });
    }
  };

  const delivered = (): Promise<boolean> => eventually(`${sent} deliveries`, () => receiver.received.length === sent);
  const written = (): Promise<boolean> =>
    eventually(`${sent} statements`, () => standIn.documents('hookline-statements').size === sent, { deadlineMs: 30_000 });
  const degraded = (isDegraded: boolean): Promise<boolean> =>
    eventually(`threads are ${isDegraded ? 'degraded' : 'up'}`, async () => {
      const { status, body } = await gateway.call('GET', '/health/ready');
      expect(status).toBe(200);
      return (body.details.threads.degraded !== undefined) === isDegraded;
    });

  const expectAllOnce = async (): Promise<void> => {
    const { statementCount, statements } = await gateway.must(200, 'GET', `${THREAD}?limit=200`);
    expect(statementCount).toBe(sent);
    const texts = Array.from({ length: sent }, (_, index) => `word${sent - index}`);
    expect(statements.map(({ text }: { text: string }) => text)).toEqual(texts);
  };

  it('has its templates and aliases made, and writes', async () => {
    await say(3);
    await written();
    await delivered();
    expect([...standIn.templates.keys()]).toEqual(['hookline-statements', 'hookline-threads']);
    expect([...standIn.aliases]).toEqual([
      ['hookline-statements', 'hookline-statements-v1'],
      ['hookline-threads', 'hookline-threads-v1'],
    ]);
    await expectAllOnce();
  });

  it.each(['cut', 'stall'] as const)('(%s) deliveries go on, and what was said is written once when it is back', async (how) => {
    proxy[how]();
    await say(20);
    await delivered();
    await degraded(true);
    expect(await gateway.call('GET', THREAD)).toMatchObject({ status: 503, body: { code: 'thread_store_unavailable' } });
    expect((await gateway.call('GET', '/api/v1/threads')).status).toBe(503);
    proxy.restore();
    await written();
    await degraded(false);
    await expectAllOnce();
    for (const queue of ['threads.statements', 'threads.statements.dead']) {
      expect((await gateway.app.get(Broker, { strict: false }).depth(queue)).messages).toBe(0);
    }
  });

  it('sends again what the server was too busy for', async () => {
    standIn.busyItems = 3;
    await say(5);
    await written();
    await expectAllOnce();
  });

  it('makes indices that were deleted anew', async () => {
    standIn.forget();
    await say(1);
    await eventually('the last statement', () => standIn.documents('hookline-statements').size > 0, { deadlineMs: 30_000 });
  });
});
