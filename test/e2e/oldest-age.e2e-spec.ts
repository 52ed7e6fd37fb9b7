import { Client } from 'pg';
import { acquireEngines, ENGINE_SETS, type Engines } from '../support/engines';
import { eventually } from '../support/eventually';
import { Gateway } from '../support/gateway';
import { Receiver } from '../support/receiver';
import { TcpProxy } from '../support/tcp-proxy';

const OWED = 'hookline_oldest_undelivered_age_seconds';
const FROZEN = 'hookline_oldest_frozen_age_seconds';

describe.each(ENGINE_SETS)('The age of the oldest delivery that is due, on %s', (set) => {
  let engines: Engines;
  let gateway: Gateway;
  let receiver: Receiver;

  beforeAll(async () => {
    [engines, receiver] = await Promise.all([acquireEngines(set), Receiver.start()]);
    gateway = await Gateway.ready(engines.options);
  });
  afterAll(async () => {
    await gateway?.remove();
    await receiver?.stop();
    await engines?.release();
  });
  beforeEach(() => {
    receiver.clear();
    receiver.answer = () => ({ status: 204 });
  });

  /** Waits until the metric has grown by more than a second while it was watched. */
  async function rises(metric: string): Promise<void> {
    const before = await eventually(`${metric} has begun`, () => gateway.metric(metric));
    await eventually(`${metric} rises`, async () => (await gateway.metric(metric)) > before + 1);
  }

  const isZero = (metric: string): Promise<unknown> => eventually(`${metric} is 0`, async () => (await gateway.metric(metric)) === 0);

  /** Published to an endpoint that fails, so that it waits for a next attempt, which is soon due. */
  async function failed(eventType: string): Promise<string> {
    const { id } = await gateway.subscribe(receiver.url, { retrySchedule: Array<number>(20).fill(1) }, { eventTypes: [eventType] });
    await publish(eventType);
    await eventually('it has failed', () => receiver.received.length > 0);
    return id;
  }

  const publish = (eventType: string): Promise<unknown> =>
    gateway.must(202, 'POST', '/api/v1/events', { application: 'shop', eventType, message: {} });

  const arrives = (): Promise<unknown> => eventually('it arrives', () => receiver.received.some(({ status }) => status === 204));

  it('rises while an attempt hangs, and falls when that is answered', async () => {
    const { proxy, url } = await TcpProxy.inFrontOf(receiver.url);
    try {
      await gateway.subscribe(url, { timeoutMs: 60_000 }, { eventTypes: ['hanging'] });
      proxy.stall();
      await publish('hanging');
      await rises(OWED);
      expect(await gateway.metric(FROZEN)).toBe(0);
      proxy.restore();
      await arrives();
      await isZero(OWED);
    } finally {
      await proxy.stop();
    }
  });

  it('rises apart while the endpoint is disabled, and falls when it is enabled', async () => {
    receiver.answer = () => ({ status: 500 });
    const id = await failed('frozen');
    await gateway.must(200, 'PATCH', `/api/v1/endpoints/${id}`, { enabled: false });
    await rises(FROZEN);
    await isZero(OWED);
    receiver.answer = () => ({ status: 204 });
    await gateway.must(200, 'PATCH', `/api/v1/endpoints/${id}`, { enabled: true });
    await arrives();
    await isZero(FROZEN);
  });

  if (set === 'embedded') return; // Nobody else writes to SQLite.

  it('rises while the dispatcher stands still, and falls when it goes on', async () => {
    receiver.answer = () => ({ status: 500 });
    await failed('still');
    const somebody = new Client({ connectionString: engines.options.databaseUrl ?? '' });
    await somebody.connect();
    try {
      // Leaves everyone to read and nobody to write: what is due cannot be taken.
      await somebody.query('begin; lock table deliveries in exclusive mode');
      receiver.answer = () => ({ status: 204 });
      await rises(OWED);
    } finally {
      await somebody.end();
    }
    await arrives();
    await isZero(OWED);
  });
});
