import { acquireEngines, ENGINE_SETS, type Engines } from '../support/engines';
import { eventually } from '../support/eventually';
import { Gateway } from '../support/gateway';
import { Receiver } from '../support/receiver';

const COUNT = 600;

describe.each(ENGINE_SETS)('a redrive whose process is killed, on %s', (set) => {
  let engines: Engines;
  let receiver: Receiver;
  const gateways: Gateway[] = [];

  beforeAll(async () => ([engines, receiver] = await Promise.all([acquireEngines(set), Receiver.start()])));

  afterAll(async () => {
    for (const gateway of gateways) await gateway.remove();
    await receiver?.stop();
    await engines?.release();
  });

  const launch = async (): Promise<Gateway> => {
    // Hundreds of deliveries die here on purpose.
    const gateway = await Gateway.ready({ ...engines.options, env: { DELIVERY_CIRCUIT_MIN_ATTEMPTS: '0' } });
    gateways.push(gateway);
    return gateway;
  };

  it('is taken over where its last commit left it: nothing is redriven twice, nothing left out', async () => {
    receiver.answer = () => ({ status: 500 });
    const first = await launch();
    const { id: endpointId } = await first.subscribe(receiver.url, { retrySchedule: [] }, { applications: ['shop'] });
    const events = Array.from({ length: COUNT }, () => ({ application: 'shop', eventType: 'paid', message: 1 }));
    await first.must(202, 'POST', '/api/v1/events/batch', events);
    await eventually('all are dead', async () => (await first.must(200, 'GET', '/api/v1/ledger')).total.dead === COUNT);
    receiver.clear();
    receiver.answer = () => ({ status: 204 });
    const asked = { filter: { endpointId }, ratePerSecond: 200 };
    const { id, total } = await first.must(202, 'POST', '/api/v1/deliveries/redrive', asked);
    expect(total).toBe(COUNT);
    await eventually('it has begun', () => receiver.received.length > 50);
    await first.kill();
    const isEmbedded = set === 'embedded';
    // On the embedded engines the next start of the same, elsewhere another process.
    if (isEmbedded) first.start();
    const second = isEmbedded ? first : await launch();
    await second.becomesReady();
    const before = (await second.must(200, 'GET', `/api/v1/jobs/${String(id)}`)).changed;
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(COUNT);
    const job = await eventually(
      'the job is done',
      async () => {
        const found = await second.must(200, 'GET', `/api/v1/jobs/${String(id)}`);
        return found.finishedAt === null ? undefined : found;
      },
      { deadlineMs: 60_000 },
    );
    expect(job).toMatchObject({ state: 'done', total: COUNT, examined: COUNT, changed: COUNT });
    const ledger = await second.settled(90_000);
    expect(ledger).toMatchObject({ accepted: COUNT, delivered: COUNT, dead: 0, pending: 0 });
    // Those under way when the process was killed may come twice.
    const ids = receiver.received.map((request) => request.id);
    expect(new Set(ids).size).toBe(COUNT);
  }, 240_000);
});
