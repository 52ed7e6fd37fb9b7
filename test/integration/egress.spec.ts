import { once } from 'node:events';
import { type AddressInfo, type Server, createServer } from 'node:net';
import { EgressGuard } from '../../src/dispatcher/delivery/egress/egress-guard';
import { bumpRegistryVersion, RegistryVersion } from '../../src/storage/registry-version';
import { fakeResolve, refusedUrls, resolveWith } from '../support/egress-forms';
import { eventually } from '../support/eventually';
import { Receiver } from '../support/receiver';
import { type EndpointRow, endpointRow, filterRow } from '../support/registry-rows';
import { ENGINES, RestApp } from './rest-app';

/** Hears every connection to its port on this machine, by IPv4 and IPv6. */
class Canary {
  connections = 0;
  private readonly server: Server;

  constructor() {
    this.server = createServer((socket) => {
      this.connections += 1;
      socket.on('error', () => undefined).end('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n');
    });
  }

  async listen(): Promise<number> {
    this.server.listen(0, '::');
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  stop(): void {
    this.server.close();
  }
}

describe.each(ENGINES)('URLs that must not be called, on %s', (engine) => {
  const canary = new Canary();
  let port: number;
  let urls: string[];
  let app: RestApp;

  beforeAll(async () => {
    port = await canary.listen();
    urls = refusedUrls(port);
    app = await RestApp.start(engine, { EGRESS_ALLOW: 'none' });
    resolveWith(app.app.get(EgressGuard, { strict: false }), fakeResolve());
  });

  afterAll(async () => {
    await app?.close();
    canary.stop();
  });

  /** Written past the API, as an older version or another program may have. */
  const insert = async (rows: EndpointRow[], eventType: string): Promise<void> => {
    await app.storage.transaction(async (trx) => {
      await app.storage.insertMany(trx, 'endpoints', rows);
      await app.storage.insertMany(trx, 'filters', [filterRow({ eventTypes: [eventType], endpoints: rows })]);
      await bumpRegistryVersion(trx);
    });
    await app.app.get(RegistryVersion, { strict: false }).changed();
  };
  const single = (url: string): EndpointRow => endpointRow({ url, retry_schedule: '[]' });
  const publish = async (eventType: string): Promise<string> =>
    (await app.must(202, 'POST', '/api/v1/events', { application: 'a', eventType, message: 1 })).id as string;
  const deliveries = (id: string, count: number) =>
    eventually(`event ${id} has ${count} dead deliveries`, async () => {
      const event = await app.must(200, 'GET', `/api/v1/events/${id}`);
      expect(event.deliveries).toHaveLength(count);
      expect(event.deliveries.filter((each: { status: string }) => each.status !== 'dead')).toEqual([]);
      return event.deliveries as { id: string; endpointId: string; attempts: object[] }[];
    });
  const REFUSED = [{ status: 'failed', code: 'address_refused', address: null, responseHead: null }];

  it('are more than forty', () => {
    expect(new Set(urls).size).toBeGreaterThan(60);
  });

  it('are refused when saved, and when put in the place of another', async () => {
    const { id } = await app.must(201, 'POST', '/api/v1/endpoints', { url: 'http://public.test/' });
    for (const url of urls) {
      for (const [method, path] of [
        ['POST', '/api/v1/endpoints'],
        ['PATCH', `/api/v1/endpoints/${id}`],
      ] as const) {
        const answer = await app.call(method, path, { url });
        expect({ url, status: answer.status, code: answer.body.code }).toEqual({ url, status: 422, code: 'address_refused' });
      }
    }
    expect(canary.connections).toBe(0);
  });

  it('are refused when an event is to be delivered there', async () => {
    const rows = urls.map(single);
    await insert(rows, 'delivered');
    const urlOf = new Map(rows.map((row) => [row.id, row.url]));
    for (const { endpointId, attempts } of await deliveries(await publish('delivered'), urls.length)) {
      expect({ url: urlOf.get(endpointId), attempts }).toMatchObject({ url: urlOf.get(endpointId), attempts: REFUSED });
    }
    expect(canary.connections).toBe(0);
  });

  it('are refused when an endpoint is tried', async () => {
    const rows = urls.map(single);
    await insert(rows, 'tried');
    const tried = rows.map(async ({ id, url }) => {
      const { eventId } = await app.must(202, 'POST', `/api/v1/endpoints/${id}/test`, {});
      const [delivery] = await deliveries(eventId as string, 1);
      expect({ url, attempts: delivery?.attempts }).toMatchObject({ url, attempts: REFUSED });
    });
    await Promise.all(tried);
    expect(canary.connections).toBe(0);
  });

  it('are refused of a name that was public when it was saved', async () => {
    resolveWith(app.app.get(EgressGuard, { strict: false }), fakeResolve());
    const url = `http://flip.test:${port}/`;
    const { id } = await app.must(201, 'POST', '/api/v1/endpoints', { url, retrySchedule: [] });
    await app.must(201, 'POST', '/api/v1/filters', { endpointIds: [id], eventTypes: ['flipped'] });
    const [delivery] = await deliveries(await publish('flipped'), 1);
    expect(delivery?.attempts).toMatchObject(REFUSED);
    expect(canary.connections).toBe(0);
  });
});

describe('with networks opened', () => {
  const canary = new Canary();
  let port: number;
  let app: RestApp;
  let receiver: Receiver;

  beforeAll(async () => {
    port = await canary.listen();
    receiver = await Receiver.start();
    app = await RestApp.start('sqlite', { EGRESS_ALLOW: '0.0.0.0/0,::/0' });
    resolveWith(app.app.get(EgressGuard, { strict: false }), fakeResolve());
  });

  afterAll(async () => {
    await app?.close();
    await receiver?.stop();
    canary.stop();
  });

  it.each(['127.0.0.1', '2130706433', '[::1]', '[::ffff:127.0.0.1]', 'inward.test', 'both.test'])('%s is called', async (host) => {
    const before = canary.connections;
    const { id } = await app.must(201, 'POST', '/api/v1/endpoints', { url: `http://${host}:${port}/`, retrySchedule: [] });
    const { eventId } = await app.must(202, 'POST', `/api/v1/endpoints/${id}/test`, {});
    await app.eventIs(eventId as string, 'delivered');
    expect(canary.connections).toBe(before + 1);
  });

  it.each(['169.254.169.254', '[::ffff:a9fe:a9fe]', '[fd00:ec2::254]', '100.100.100.200', 'metadata.test', 'metadata.google.internal'])(
    '%s is not',
    async (host) => {
      expect(await app.call('POST', '/api/v1/endpoints', { url: `http://${host}/` })).toMatchObject({ status: 422 });
    },
  );

  it('a redirect is not followed, to where it may ever lead', async () => {
    const before = canary.connections;
    const targets = [`http://127.0.0.1:${port}/`, 'http://169.254.169.254/latest/meta-data/', '//[::1]/', '/other'];
    for (const [index, location] of targets.entries()) {
      receiver.answer = () => ({ status: [301, 302, 307, 308][index] ?? 302, headers: { location }, body: 'elsewhere' });
      const { id } = await app.must(201, 'POST', '/api/v1/endpoints', { url: receiver.url, retrySchedule: [] });
      const { eventId } = await app.must(202, 'POST', `/api/v1/endpoints/${id}/test`, {});
      const event = await app.eventIs(eventId as string, 'dead');
      expect(event.deliveries[0].attempts).toMatchObject([{ status: 'failed', code: String([301, 302, 307, 308][index]) }]);
    }
    expect(receiver.received).toHaveLength(targets.length);
    expect(canary.connections).toBe(before);
  });
});
