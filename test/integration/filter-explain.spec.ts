import { createHmac } from 'node:crypto';
import { Receiver } from '../support/receiver';
import { ENGINES, RestApp, paths } from './rest-app';

const NO_ID = '019346a0-0000-7000-8000-000000000001';

describe.each(ENGINES)('explaining filters on %s', (engine) => {
  let app: RestApp;
  let receiver: Receiver;
  let key: string;
  let other: string;
  let endpoint: { id: string; secret: string };
  let filterId: string;

  beforeAll(async () => {
    [app, receiver] = await Promise.all([RestApp.start(engine), Receiver.start()]);
    key = await app.newAccount('explaining');
    other = await app.newAccount('others');
    endpoint = await app.must(
      201,
      'POST',
      '/api/v1/endpoints',
      { url: receiver.url, headers: { 'X-Team': 'hosts', 'X-Api-Key': 'hide-me' }, auth: { type: 'bearer', token: 'hide-me-too' } },
      { key },
    );
    const where = { 'message.host.os': { $in: ['rhel', 'fedora'] }, level: { $ne: null } };
    const filter = { name: 'hosts', applications: ['inventory'], where, endpointIds: [endpoint.id] };
    filterId = (await app.must(201, 'POST', '/api/v1/filters', filter, { key })).id;
  });

  afterAll(async () => {
    await app?.close();
    await receiver?.stop();
  });

  const event = (message: unknown, more: object = {}) => ({ application: 'inventory', eventType: 'host', level: 'info', message, ...more });
  const explain = (given: object, by = key) => app.must(200, 'POST', '/api/v1/filters/explain', { event: given }, { key: by });
  const backtest = (body: object, by = key) => app.must(200, 'POST', '/api/v1/filters/backtest', body, { key: by });

  it('names the clause that an event fails, and what was found', async () => {
    const { filters, deliveries, deliveryCount, nextCursor } = await explain(event({ host: { os: 'debian' } }));
    expect([deliveries, deliveryCount, nextCursor]).toEqual([[], 0, null]);
    expect(filters).toEqual([
      {
        filterId,
        name: 'hosts',
        matched: false,
        clauses: [
          { at: 'enabled', clause: 'enabled', passed: true, found: [true] },
          { at: 'applications', clause: 'application $in ["inventory"]', passed: true, found: ['inventory'] },
          { at: 'where.message.host.os.$in', clause: 'message.host.os $in ["rhel","fedora"]', passed: false, found: ['debian'] },
          { at: 'where.level.$ne', clause: 'level $ne null', passed: true, found: ['info'] },
        ],
      },
    ]);
  });

  it('shows the request that would be sent, without its credentials, and sends none', async () => {
    const before = receiver.received.length;
    const { filters, deliveries, deliveryCount } = await explain(event({ host: { os: 'rhel' } }));
    expect(filters[0].matched).toBe(true);
    expect(deliveryCount).toBe(1);
    const [{ headers, body, bodyBytes, ...shown }] = deliveries;
    expect(shown).toMatchObject({ endpointId: endpoint.id, type: 'webhook', url: receiver.url, bodyEncoding: 'utf8', problem: null });
    expect(headers).toMatchObject({ 'X-Team': 'hosts', 'X-Api-Key': '***', authorization: '***', 'content-type': 'application/json' });
    expect(JSON.stringify(deliveries)).not.toContain('hide-me');
    expect(bodyBytes).toBe(Buffer.byteLength(body));
    expect(JSON.parse(body)).toMatchObject({ type: 'inventory.host', accountId: 'explaining', data: { host: { os: 'rhel' } } });
    const secret = Buffer.from(endpoint.secret.slice('whsec_'.length), 'base64');
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', secret).update(signed).digest('base64')}`);
    expect(receiver.received).toHaveLength(before);
    expect((await app.must(200, 'GET', '/api/v1/events', undefined, { key })).data).toEqual([]);
  });

  it('explains a stored event byte for byte, to its own account alone', async () => {
    const text = '{"application":"inventory","eventType":"host","level":"info","message":{"host":{"os":"rhel"},"n":12345678901234567890}}';
    const published = await fetch(`${app.url}/api/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: text,
    });
    const { id } = (await published.json()) as { id: string };
    const { filters, deliveries } = await app.must(200, 'GET', `/api/v1/events/${id}/explain`, undefined, { key });
    expect(filters).toMatchObject([{ filterId, matched: true }]);
    expect(deliveries[0].headers['webhook-id']).toBe(id);
    expect(deliveries[0].body).toContain('"data":{"host":{"os":"rhel"},"n":12345678901234567890}');
    await app.must(404, 'GET', `/api/v1/events/${id}/explain`, undefined, { key: other });
    await app.must(404, 'GET', `/api/v1/events/${NO_ID}/explain`, undefined, { key });
    expect((await explain(event({ host: { os: 'rhel' } }), other)).filters).toEqual([]);
  });

  it.each([
    [{}, ['event']],
    [{ event: { application: 'a' }, more: 1 }, ['more', 'event.eventType', 'event.message']],
    [{ event: 7 }, ['event']],
  ])('refuses to explain %j', async (body, problems) => {
    const answer = await app.call('POST', '/api/v1/filters/explain', body, { key });
    expect([answer.status, paths(answer)]).toEqual([422, problems]);
  });

  describe('a back-test', () => {
    let account: string;
    let tested: string;
    const ids: string[] = [];

    beforeAll(async () => {
      account = await app.newAccount('backtested');
      for (let n = 0; n < 10; n++) {
        const given = { application: n < 8 ? 'inventory' : 'shop', eventType: 'n', message: { n } };
        ids.push((await app.must(202, 'POST', '/api/v1/events', given, { key: account })).id);
      }
      const filter = { applications: ['inventory'], where: { 'message.n': { $gte: 6 } } };
      tested = (await app.must(201, 'POST', '/api/v1/filters', filter, { key: account })).id;
    });

    it('says what a new filter would have matched', async () => {
      const found = await backtest({ filter: { applications: ['inventory'], where: { 'message.n': { $lt: 3 } } } }, account);
      expect(found).toMatchObject({ examined: 10, complete: true, matched: { count: 3 }, added: { count: 3 }, removed: { count: 0 } });
      expect(found.matched.examples[0]).toEqual({ id: ids[2], application: 'inventory', eventType: 'n', level: null });
    });

    it('says what a changed filter would match more, and what less', async () => {
      const { matched, added, removed } = await backtest({ filter: { id: tested, where: { 'message.n': { $lte: 6 } } } }, account);
      expect([matched.count, added.count, removed.count]).toEqual([7, 6, 1]);
      expect(removed.examples).toMatchObject([{ id: ids[7] }]);
      const widened = await backtest({ filter: { id: tested, applications: null, where: null } }, account);
      expect([widened.matched.count, widened.added.count, widened.removed.count]).toEqual([10, 8, 0]);
      expect(await app.must(200, 'GET', `/api/v1/filters/${tested}`, undefined, { key: account })).toMatchObject({
        applications: ['inventory'],
      });
    });

    it('looks at the last events alone, as many as it is told', async () => {
      const found = await backtest({ filter: {}, limit: 4 }, account);
      expect(found).toMatchObject({ examined: 4, complete: false, matched: { count: 4 } });
      expect(found.matched.examples.map((example: { id: string }) => example.id)).toEqual(ids.slice(-4).reverse());
      const since = '2100-01-01T00:00:00Z';
      expect(await backtest({ filter: {}, since }, account)).toMatchObject({ examined: 0, complete: true, matched: { count: 0 } });
    });

    it('is about the own account', async () => {
      expect(await backtest({ filter: {} }, other)).toMatchObject({ examined: 0, matched: { count: 0 } });
      await app.must(404, 'POST', '/api/v1/filters/backtest', { filter: { id: tested } }, { key: other });
      await app.must(404, 'POST', '/api/v1/filters/backtest', { filter: { accountId: 'backtested' } }, { key: other });
    });

    it.each([
      [{}, 'filter'],
      [{ filter: { where: { 'data.x': 1 } } }, 'filter.where.data.x'],
      [{ filter: {}, limit: 10_001 }, 'limit'],
      [{ filter: {}, since: 'yesterday' }, 'since'],
    ])('refuses %j', async (body, path) => {
      const answer = await app.call('POST', '/api/v1/filters/backtest', body, { key: account });
      expect([answer.status, new Set(paths(answer))]).toEqual([422, new Set([path])]);
    });
  });
});
