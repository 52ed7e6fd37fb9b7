import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';
import { AccessTokenServer } from '../support/access-tokens';
import { ENGINE_SETS, type Engines, acquireEngines } from '../support/engines';
import { eventually } from '../support/eventually';
import { Gateway } from '../support/gateway';
import { execute } from '../support/services/processes';
import { TcpProxy } from '../support/tcp-proxy';
import { TokenWebhookClient } from '../support/token-webhook-client';

const AWAY = { status: 503, body: { status: 'error', msg: expect.any(String) } };

describe.each(ENGINE_SETS)('token webhooks on %s', (set) => {
  let engines: Engines;
  let gateway: Gateway;
  let sts: AccessTokenServer;
  let client: TokenWebhookClient;
  const proxies: Partial<Record<'broker' | 'database', TcpProxy>> = {};

  beforeAll(async () => {
    [engines, sts] = await Promise.all([acquireEngines(set), AccessTokenServer.start()]);
    sts.tenants.set('access-token', '5618780000');
    gateway = await Gateway.ready({ ...(await proxied()), env: { STS_URL: sts.url } });
    client = new TokenWebhookClient(gateway);
  });

  afterAll(async () => {
    await gateway?.remove();
    await Promise.all([sts?.stop(), proxies.broker?.stop(), proxies.database?.stop()]);
    await engines?.release();
  });

  const proxied = async (): Promise<Engines['options']> => {
    const { rabbitMqUrl, databaseUrl } = engines.options;
    if (rabbitMqUrl === undefined || databaseUrl === undefined) return {};
    const [broker, database] = await Promise.all([TcpProxy.inFrontOf(rabbitMqUrl), TcpProxy.inFrontOf(databaseUrl)]);
    proxies.broker = broker.proxy;
    proxies.database = database.proxy;
    return { rabbitMqUrl: broker.url, databaseUrl: database.url };
  };
  /** Of the embedded broker: no file of the process may grow, as on a full disk. */
  const limitFiles = (bytes: string): Promise<unknown> => execute('prlimit', ['--pid', String(gateway.pid), `--fsize=${bytes}:unlimited`]);
  const brokerGoes = async (): Promise<void> => void (proxies.broker ? proxies.broker.cut() : await limitFiles('1024'));
  const brokerReturns = async (): Promise<void> => void (proxies.broker ? proxies.broker.restore() : await limitFiles('unlimited'));
  const eventsOf = async (event: string): Promise<unknown[]> =>
    (await gateway.must(200, 'GET', `/api/v1/events?application=github&eventType=${event}`)).data;

  it('while the broker is away senders hear 503; what was refused can be accepted later, and its tokens are not listed', async () => {
    const event = `e-${randomUUID()}`;
    const path = await client.hook({ event, tsField: 'commits[0].timestamp' });
    await brokerGoes();
    const refused = await client.send(path);
    await brokerReturns();
    expect(refused).toMatchObject(AWAY);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);

    await gateway.becomesReady();
    const requestId = refused.headers['x-request-id'];
    const listed = await eventually('the refused request is listed', async () => {
      const { data } = await gateway.must(200, 'GET', '/api/v1/requests?source=wh&code=broker_unavailable');
      return (data as { id: string; requestId: string; path: string }[]).find((each) => each.requestId === requestId);
    });
    expect(listed.path).toBe('/wh/***');
    const accepted = await gateway.must(200, 'POST', `/api/v1/requests/${listed.id}/accept`);
    expect(accepted).toMatchObject({ outcome: 'accepted' });
    const shown = JSON.stringify([listed, accepted, (await gateway.get(`/api/v1/requests/${listed.id}`)).body]);
    for (const token of path.split('/').slice(2)) expect(shown).not.toContain(token);
    expect((await gateway.call('POST', `/api/v1/requests/${listed.id}/accept`)).status).toBe(409);

    const [found, ...more] = await eventually('the event', async () => {
      const events = await eventsOf(event);
      return events.length > 0 && events;
    });
    expect([found, more]).toEqual([expect.objectContaining({ accountId: '5618780000', timestamp: '2016-01-02T01:04:05.000Z' }), []]);
  });

  it('what is refused for its tokens is refused again when it is accepted', async () => {
    const path = (await client.hook()).replace(/[^/]+$/, '0'.repeat(40));
    const { headers } = await client.send(path);
    const listed = await eventually('the refused request is listed', async () => {
      const { data } = await gateway.must(200, 'GET', '/api/v1/requests?source=wh&code=webhook_unknown');
      return (data as { id: string; requestId: string }[]).find((each) => each.requestId === headers['x-request-id']);
    });
    const answer = await gateway.call('POST', `/api/v1/requests/${listed.id}/accept`);
    expect([answer.status, answer.body.detail]).toEqual([422, expect.stringContaining('webhook_unknown')]);
  });

  it('a silent STS is our fault, within 5 s', async () => {
    sts.mood = 'hang';
    const silent = await client.ask('GET', '/wh/config', client.bearer(`never-seen-${randomUUID()}`));
    sts.mood = 'answer';
    expect(silent).toMatchObject(AWAY);
  });

  if (set === 'embedded') return;

  it('a foreign queue that is full and rejects refuses what our own has taken', async () => {
    const connection = await connect(engines.options.rabbitMqUrl ?? '');
    const channel = await connection.createChannel();
    const limited = { exclusive: true, arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' } };
    const { queue } = await channel.assertQueue('', limited);
    const event = `e-${randomUUID()}`;
    await channel.bindQueue(queue, 'events-to-enrich', `event.*.*.${event}`);
    const path = await client.hook({ event });
    const answers = [await client.send(path), await client.send(path)];
    expect(answers.map(({ status }) => status)).toEqual([204, 503]);
    await eventually('both are events', async () => (await eventsOf(event)).length === 2);
    await connection.close();
  });

  it('webhooks that are known go on while the database is away; of others nobody knows', async () => {
    const event = `e-${randomUUID()}`;
    const path = await client.hook({ event });
    proxies.database?.cut();
    try {
      expect(await client.ask('GET', '/wh/config', client.bearer())).toMatchObject(AWAY);
      expect((await client.send(path)).status).toBe(204);
      expect((await client.ask('HEAD', path, {})).status).toBe(200);
      expect((await client.ask('HEAD', path.replace(/^\/wh\/[^/]+/, '/wh/other'), {})).status).toBe(400);
      expect(await client.send(`/wh/${randomUUID()}/${'0'.repeat(40)}`)).toMatchObject(AWAY);
    } finally {
      proxies.database?.restore();
    }
    await gateway.becomesReady();
    await eventually('the event', async () => (await eventsOf(event)).length === 1);
  });
});
