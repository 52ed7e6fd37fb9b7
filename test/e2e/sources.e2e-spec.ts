import { createHmac, randomUUID } from 'node:crypto';
import { ENGINE_SETS, type Engines, acquireEngines } from '../support/engines';
import { eventually } from '../support/eventually';
import { type ApiAnswer, Gateway } from '../support/gateway';
import { Receiver } from '../support/receiver';
import { TcpProxy } from '../support/tcp-proxy';

interface Source {
  id: string;
  url: string;
  secret: string;
}

const SOURCE = { name: 'our repository', application: 'repository', verification: { type: 'github' } };

const create = (gateway: Gateway): Promise<Source> => gateway.must(201, 'POST', '/api/v1/sources', SOURCE);

function push(gateway: Gateway, { url, secret }: Pick<Source, 'url' | 'secret'>): Promise<ApiAnswer> {
  const body = '{"zen":"Keep it logically awesome."}';
  return gateway.call('POST', url, body, {
    'x-github-event': 'push',
    'x-github-delivery': randomUUID(),
    'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
  });
}

describe.each(ENGINE_SETS)('a source on %s', (set) => {
  let engines: Engines;
  let gateway: Gateway;
  let receiver: Receiver;

  beforeAll(async () => {
    [engines, receiver] = await Promise.all([acquireEngines(set), Receiver.start()]);
    gateway = await Gateway.ready({ ...engines.options });
    await gateway.subscribe(receiver.url);
  });
  afterAll(async () => {
    await gateway?.remove();
    await receiver?.stop();
    await engines?.release();
  });

  it('that is deleted: what it sent before is delivered, by a process that never knew it', async () => {
    expect(await gateway.terminate()).toMatchObject({ code: 0 });
    gateway.start({ SOURCES_PROCESS_ENABLED: 'false' });
    await gateway.becomesReady();
    const [kept, deleted] = [await create(gateway), await create(gateway)];
    for (const source of [kept, deleted, deleted]) expect((await push(gateway, source)).status).toBe(200);
    await gateway.must(204, 'DELETE', `/api/v1/sources/${deleted.id}`);
    expect(await gateway.terminate()).toMatchObject({ code: 0 });
    expect(receiver.received).toEqual([]);

    gateway.start();
    await gateway.becomesReady();
    expect([(await push(gateway, kept)).status, (await push(gateway, deleted)).status]).toEqual([200, 404]);
    await eventually('all have come', () => receiver.received.length === 4);
    expect(await gateway.drained()).toMatchObject({ accepted: 4, delivered: 4 });
    expect(receiver.bodies.map(({ application, eventType }) => [application, eventType])).toEqual(Array(4).fill(['repository', 'push']));
    const { sources } = await gateway.must(200, 'GET', '/api/v1/ledger');
    expect(sources).toContainEqual(expect.objectContaining({ source: `in:${deleted.id}`, accepted: 2, delivered: 2 }));
  });
});

describe('a source at replicas', () => {
  let engines: Engines;
  let database: TcpProxy;
  let broker: TcpProxy;
  let receiver: Receiver;
  /** Whose database and broker can be taken away. */
  let fragile: Gateway;
  let other: Gateway;

  beforeAll(async () => {
    engines = await acquireEngines('rabbitmq and postgres');
    const { rabbitMqUrl = '', databaseUrl = '' } = engines.options;
    const [behind, beside] = await Promise.all([TcpProxy.inFrontOf(databaseUrl), TcpProxy.inFrontOf(rabbitMqUrl)]);
    [database, broker] = [behind.proxy, beside.proxy];
    receiver = await Receiver.start();
    other = await Gateway.ready({ ...engines.options });
    await other.subscribe(receiver.url);
    fragile = await Gateway.ready({ databaseUrl: behind.url, rabbitMqUrl: beside.url });
  });
  afterAll(async () => {
    await Promise.all([fragile?.remove(), other?.remove()]);
    await Promise.all([database?.stop(), broker?.stop(), receiver?.stop()]);
    await engines?.release();
  });

  let accepted = 0;

  const pushTo = async (gateway: Gateway, source: Source): Promise<ApiAnswer> => {
    const answer = await push(gateway, source);
    if (answer.status === 200) accepted += 1;
    return answer;
  };

  it('works at once at every one of them', async () => {
    for (let times = 0; times < 5; times++) {
      const source = await create(other);
      expect((await pushTo(fragile, source)).status).toBe(200);
    }
  });

  it('that is known goes on while the database is away; of others nobody can say', async () => {
    const source = await create(other);
    expect((await pushTo(fragile, source)).status).toBe(200);
    const stranger = await create(other);
    database.cut();
    try {
      expect((await pushTo(fragile, source)).status).toBe(200);
      const unknown = await pushTo(fragile, stranger);
      expect(unknown).toMatchObject({ status: 503, body: { code: 'storage_unavailable' }, headers: { 'retry-after': expect.any(String) } });
      expect((await pushTo(fragile, source)).status).toBe(200);
    } finally {
      database.restore();
    }
    await eventually('the stranger is known', async () => (await pushTo(fragile, stranger)).status === 200);
  });

  it('is told to come again while the broker is away', async () => {
    const source = await create(other);
    expect((await pushTo(fragile, source)).status).toBe(200);
    broker.cut();
    try {
      const refused = await pushTo(fragile, source);
      expect(refused).toMatchObject({ status: 503, body: { code: 'broker_unavailable' }, headers: { 'retry-after': expect.any(String) } });
      expect((await pushTo(other, source)).status).toBe(200);
    } finally {
      broker.restore();
    }
    await eventually('it is taken in again', async () => (await pushTo(fragile, source)).status === 200);
  });

  it('has lost nothing of it all', async () => {
    await eventually('both take in', async () => (await fragile.get('/health/ready')).status === 200);
    await eventually('all have come', () => new Set(receiver.received.map(({ id }) => id)).size === accepted);
    expect(await other.drained()).toMatchObject({ accepted, delivered: accepted });
  });
});
