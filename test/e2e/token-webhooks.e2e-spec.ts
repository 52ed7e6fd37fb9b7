import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { connect } from 'amqplib';
import { AccessTokenServer } from '../support/access-tokens';
import { ENGINE_SETS, type Engines, acquireEngines } from '../support/engines';
import { eventually } from '../support/eventually';
import { Gateway } from '../support/gateway';
import { BODY, SERVER, TokenWebhookClient } from '../support/token-webhook-client';

const TENANT = '12345678901234567890';
describe.each(ENGINE_SETS)('token webhooks on %s', (set) => {
  let engines: Engines;
  let gateway: Gateway;
  let sts: AccessTokenServer;
  let client: TokenWebhookClient;

  beforeAll(async () => {
    [engines, sts] = await Promise.all([acquireEngines(set), AccessTokenServer.start()]);
    sts.tenants.set('access-token', TENANT);
    sts.tenants.set('token-of-another', '"another"');
    gateway = await Gateway.ready({ ...engines.options, env: { STS_URL: sts.url, BROKER_WATCH_INTERVAL_MS: '1000' } });
    client = new TokenWebhookClient(gateway);
  });

  afterAll(async () => {
    await gateway.remove();
    await sts.stop();
    await engines.release();
  });

  it('makes a webhook, keeps its URL when it is changed, and shows and deletes it', async () => {
    const before = Date.now();
    const made = await client.config({ datasource: 'github', event: 'push', tsField: 'commits[0].timestamp' });
    expect(made.status).toBe(200);
    const { token, apiToken, createdAt } = made.body;
    expect(made.body).toEqual({
      datasource: 'github',
      event: 'push',
      createdAt: expect.any(Number),
      apiToken: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      tenantId: Number(TENANT),
      token: expect.stringMatching(/^[0-9a-f]{40}$/),
      tsField: 'commits[0].timestamp',
      hookUrl: `https://webhook.${SERVER}/wh/${apiToken}/${token}`,
    });
    expect(made.text).toContain(`"tenantId":${TENANT},`);
    expect(createdAt).toBeGreaterThanOrEqual(before);

    const same = { token, apiToken, createdAt, tsField: 'commits[0].timestamp' };
    expect((await client.config({ datasource: 'github', event: 'push' })).body).toMatchObject(same);
    expect((await client.config({ datasource: 'github', event: 'push', tsField: null })).body).toMatchObject(same);
    const changed = await client.config({ datasource: 'github', event: 'push', tsField: '' }, undefined, {
      'x-orig-server': 'webhooks.Example',
    });
    expect(changed.body).not.toHaveProperty('tsField');
    expect(changed.body).toMatchObject({ token, apiToken, hookUrl: `https://webhooks.Example/wh/${apiToken}/${token}` });

    const shown = await client.ask('GET', `/wh/config/${token}`, client.bearer());
    expect(shown.body).toEqual({ ...changed.body, eventType: 'push' });
    expect((await client.ask('GET', '/wh/config', client.bearer())).body).toEqual([shown.body]);
    expect((await client.ask('GET', '/wh/config', client.bearer('token-of-another'))).body).toEqual([]);
    for (const method of ['GET', 'DELETE']) {
      const refused = await client.ask(method, `/wh/config/${token}`, client.bearer('token-of-another'));
      expect([refused.status, refused.body]).toEqual([404, { status: 'error', msg: 'There is no such webhook' }]);
    }
    expect(await client.ask('HEAD', `/wh/config/${token}`, client.bearer())).toMatchObject({ status: 200, text: '' });

    expect(await client.ask('HEAD', `/wh/${apiToken}/${token}`, {})).toMatchObject({ status: 200, text: '' });
    expect(await client.ask('DELETE', `/wh/config/${token}`, client.bearer())).toMatchObject({ status: 204, text: '' });
    expect((await client.ask('HEAD', `/wh/${apiToken}/${token}`, {})).status).toBe(400);
    for (const method of ['GET', 'HEAD', 'DELETE']) {
      expect((await client.ask(method, `/wh/config/${token}`, client.bearer())).status).toBe(404);
    }
  });

  it.each([
    [{ event: 'push' }, { 'x-orig-server': SERVER }, 'datasource is missing'],
    [{ datasource: 'github' }, { 'x-orig-server': SERVER }, 'event is missing'],
    [{ datasource: 'github', event: 'push' }, {}, 'The header X-ORIG-SERVER is missing'],
    [{ datasource: 'github', event: 'push' }, { 'x-orig-server': 'a.example/x?' }, 'The header X-ORIG-SERVER must be a host name'],
    [{ datasource: 'github', event: 'push' }, { 'x-orig-server': 'user@a.example' }, 'The header X-ORIG-SERVER must be a host name'],
    [{ datasource: 'git.hub', event: 'push' }, { 'x-orig-server': SERVER }, expect.stringContaining('datasource must not hold')],
    [{ datasource: 'github', event: 'a*' }, { 'x-orig-server': SERVER }, expect.stringContaining('event must not hold')],
    [{ datasource: 'github', event: '#' }, { 'x-orig-server': SERVER }, expect.stringContaining('event must not hold')],
    [{ datasource: 'd'.repeat(120), event: 'e'.repeat(120) }, { 'x-orig-server': SERVER }, expect.stringContaining('255 bytes')],
    [
      { datasource: 'github', event: 'push', tsField: 'a[' },
      { 'x-orig-server': SERVER },
      expect.stringContaining('tsField must be a path'),
    ],
    [{ datasource: 7, event: 'push' }, { 'x-orig-server': SERVER }, 'datasource must be a string'],
    [[], { 'x-orig-server': SERVER }, 'The body must be a JSON object'],
  ])('refuses %j with %j', async (body, headers, msg) => {
    const refused = await client.config(body, undefined, headers);
    expect([refused.status, refused.body]).toEqual([400, { status: 'error', msg }]);
  });

  it('makes one webhook where many ask for the same at once', async () => {
    const event = `e-${randomUUID()}`;
    const made = await Promise.all(Array.from({ length: 20 }, () => client.config({ datasource: 'github', event })));
    expect(made.map(({ status }) => status)).toEqual(made.map(() => 200));
    expect(new Set(made.map(({ body }) => body.hookUrl)).size).toBe(1);
  });

  it('a bad bearer is refused, and an STS that is away is our fault', async () => {
    for (const headers of [client.bearer('unknown'), {}, { authorization: 'Basic x' }] as Record<string, string>[]) {
      expect(await client.ask('GET', '/wh/config', headers)).toMatchObject({
        status: 401,
        body: { status: 'error', msg: expect.any(String) },
      });
    }
    sts.mood = 'error';
    const away = await client.ask('GET', '/wh/config', client.bearer(`never-seen-${randomUUID()}`));
    sts.mood = 'answer';
    expect(away).toMatchObject({ status: 503, body: { status: 'error', msg: expect.any(String) } });
    expect(Number(away.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('takes only what may be JSON, at a URL that is known', async () => {
    const path = await client.hook();
    const [, , apiToken, token] = path.split('/') as [string, string, string, string];
    for (const type of ['application/json; charset=utf-8', 'foo/moo; application/json; charset-utf8', 'Application/JSON']) {
      expect(await client.send(path, '{}', { 'content-type': type })).toMatchObject({ status: 204, text: '' });
    }
    expect(await client.send(path, '{}', { 'content-type': 'text/plain' })).toMatchObject({
      status: 415,
      body: { status: 'error', msg: expect.any(String) },
    });
    expect((await client.ask('POST', path, {})).status).toBe(415);
    const other = (await client.hook()).split('/')[2] ?? '';
    for (const wrong of [`/wh/${other}/${token}`, `/wh/${apiToken}/${'0'.repeat(40)}`, '/wh/a/b', `/wh/${token}/${apiToken}`]) {
      expect(await client.send(wrong)).toMatchObject({
        status: 400,
        body: { status: 'error', msg: 'There is no webhook of these tokens' },
      });
    }
    expect(await client.send(path, '{"a":')).toMatchObject({ status: 400, body: { status: 'error', msg: expect.any(String) } });
    expect((await client.send(path, JSON.stringify('x'.repeat(4_000_000)))).body).toEqual({
      status: 'error',
      msg: expect.stringContaining('larger'),
    });
  });

  it('takes a compressed body, and refuses what is none', async () => {
    const event = `e-${randomUUID()}`;
    const path = await client.hook({ event });
    expect((await client.send(path, gzipSync(BODY), { 'content-encoding': 'gzip' })).status).toBe(204);
    const damaged = await client.send(path, BODY, { 'content-encoding': 'gzip' });
    expect([damaged.status, damaged.body]).toEqual([400, { status: 'error', msg: 'The body is not valid gzip' }]);
    const unknown = await client.send(path, BODY, { 'content-encoding': 'br' });
    expect([unknown.status, unknown.body]).toEqual([415, { status: 'error', msg: expect.stringContaining('gzip') }]);
    const id = await eventually('the event', async () => {
      const { data } = await gateway.must(200, 'GET', `/api/v1/events?application=github&eventType=${event}`);
      return data.length > 0 && (data[0].id as string);
    });
    expect((await gateway.must(200, 'GET', `/api/v1/events/${id}`)).data).toMatchObject({ commits: [{}] });
  });

  it('an event may have dots and spaces in its name', async () => {
    const event = `invoice.paid now-${randomUUID()}`;
    expect((await client.send(await client.hook({ datasource: 'stripe', event }))).status).toBe(204);
    await eventually('the event', async () => {
      const { data } = await gateway.must(200, 'GET', `/api/v1/events?application=stripe&eventType=${encodeURIComponent(event)}`);
      return data.length === 1;
    });
  });

  it('does not say back what the router cannot read', async () => {
    const token = randomUUID();
    for (const path of [`/wh/%zz/${token}`, `/wh/%ff/${token}`, `/wh/${token}/%zz`, `/wh/${token}/${'a'.repeat(3_000)}`]) {
      const refused = await client.send(path);
      expect(refused).toMatchObject({ status: 400, body: { code: 'malformed_request' } });
      expect(refused.text).not.toContain(token);
    }
  });

  it('what is posted becomes an event of the tenant, with the time that stands in it', async () => {
    const event = `e-${randomUUID()}`;
    const path = await client.hook({ event, tsField: 'commits[0].timestamp' });
    expect((await client.send(path)).status).toBe(204);
    expect((await client.send(path, '{"commits":[]}')).status).toBe(204);
    const found = await eventually('both events', async () => {
      const { data } = await gateway.must(200, 'GET', `/api/v1/events?application=github&eventType=${event}`);
      return data.length === 2 && data;
    });
    const [dated, undated] = [...found].sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1));
    expect(dated).toMatchObject({ accountId: TENANT, timestamp: '2016-01-02T01:04:05.000Z' });
    const { context } = await gateway.must(200, 'GET', `/api/v1/events/${undated.id}`);
    expect(context).toEqual({ tsField: 'commits[0].timestamp', timestampFrom: 'received', reason: 'there is no such field' });
    await gateway.drained();
    const { sources } = await gateway.must(200, 'GET', '/api/v1/ledger');
    expect(sources).toContainEqual(expect.objectContaining({ source: 'wh', dead: 0 }));
  });

  if (set === 'embedded') return;

  it('a consumer outside gets what was posted, byte for byte, and our own binding is made again when it is lost', async () => {
    const connection = await connect(engines.options.rabbitMqUrl ?? '');
    const channel = await connection.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, 'events-to-enrich', 'event.*.github.#');
    const event = `e-${randomUUID()}`;
    const path = await client.hook({ event, tsField: 'commits[0].timestamp' });
    await client.send(await client.hook({ datasource: 'jira', event }));
    await client.send(path, BODY, { 'content-type': 'application/json; charset=utf-8' });
    const message = await eventually('the message', async () => (await channel.get(queue, { noAck: true })) || undefined);
    expect(message.content.toString()).toBe(BODY);
    expect(message.fields.routingKey).toBe(`event.${TENANT}.github.${event}`);
    expect(message.properties).toMatchObject({
      contentType: 'application/json; charset=utf-8',
      deliveryMode: 2,
      headers: { tsField: 'commits[0].timestamp', 'x-request-id': expect.any(String) },
    });
    expect(await channel.get(queue, { noAck: true })).toBe(false);

    // Bound by the outsider alone, nothing would come back to us as unroutable.
    await channel.unbindQueue('webhooks.sources.default', 'events-to-enrich', 'event.#');
    const bound = `e-${randomUUID()}`;
    const again = await client.hook({ event: bound });
    await eventually('events come through again', async () => {
      await client.send(again);
      const { data } = await gateway.must(200, 'GET', `/api/v1/events?application=github&eventType=${bound}`);
      return data.length > 0;
    });
    await connection.close();
  });

  it('a webhook made at one replica works at once at another', async () => {
    const replica = await Gateway.ready({ ...engines.options, env: { STS_URL: sts.url } });
    const elsewhere = new TokenWebhookClient(replica);
    try {
      for (let round = 0; round < 5; round += 1) expect((await elsewhere.send(await client.hook())).status).toBe(204);
    } finally {
      await replica.remove();
    }
  });
});
