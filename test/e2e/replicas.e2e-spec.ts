import { Client } from 'pg';
import { acquireEngines, type Engines } from '../support/engines';
import { eventually } from '../support/eventually';
import { Gateway, type GatewayOptions } from '../support/gateway';
import { Receiver } from '../support/receiver';

const RATE = 50;
const CAP = 4;
const APPLICATION = 'replicas';
/** Endpoints of each kind: enough that each of two replicas owns some. */
const ENDPOINTS = 4;
const EACH = 1_500;

interface Limited {
  receiver: Receiver;
  /** The most requests that were there at once. */
  most: () => number;
}

async function receiverOf(delayMs: number): Promise<Limited> {
  const receiver = await Receiver.start();
  let underWay = 0;
  let most = 0;
  receiver.answer = () => {
    most = Math.max(most, ++underWay);
    setTimeout(() => (underWay -= 1), delayMs);
    return { status: 204, delayMs };
  };
  return { receiver, most: () => most };
}

/** When each attempt to the endpoints with a rate began, by endpoint. */
async function attemptsByEndpoint(databaseUrl = ''): Promise<number[][]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ endpoint: string; at: string }>(`
      select d.endpoint_id as endpoint, a.at from attempts a join deliveries d on d.id = a.delivery_id
      join endpoints e on e.id = d.endpoint_id where e.rate_per_second is not null order by a.at`);
    const byEndpoint = new Map<string, number[]>();
    for (const { endpoint, at } of rows) byEndpoint.set(endpoint, [...(byEndpoint.get(endpoint) ?? []), Number(at)]);
    return [...byEndpoint.values()];
  } finally {
    await client.end();
  }
}

/** The most arrivals in any so many milliseconds. */
function mostIn(windowMs: number, times: readonly number[]): number {
  let most = 0;
  for (let from = 0, to = 0; to < times.length; to++) {
    while ((times[to] as number) - (times[from] as number) >= windowMs) from += 1;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

describe('limits of endpoints, while a replica joins and is killed', () => {
  let engines: Engines;
  const gateways: Gateway[] = [];
  const rated: Limited[] = [];
  const capped: Limited[] = [];

  const replica = async (): Promise<Gateway> => {
    const options: GatewayOptions = { ...engines.options };
    const gateway = await Gateway.ready(options);
    gateways.push(gateway);
    return gateway;
  };

  beforeAll(async () => {
    engines = await acquireEngines('rabbitmq and postgres');
    for (let i = 0; i < ENDPOINTS; i++) {
      rated.push(await receiverOf(1));
      capped.push(await receiverOf(50));
    }
  });
  afterAll(async () => {
    await Promise.all(gateways.map((gateway) => gateway.remove()));
    await Promise.all([...rated, ...capped].map(({ receiver }) => receiver.stop()));
    await engines?.release();
  });

  it('are kept, and everything arrives', async () => {
    const first = await replica();
    for (const [index, { receiver }] of rated.entries()) {
      await first.subscribe(receiver.url, { ratePerSecond: RATE }, { applications: [APPLICATION], name: `rated ${index}` });
    }
    for (const [index, { receiver }] of capped.entries()) {
      await first.subscribe(receiver.url, { maxInFlight: CAP }, { applications: [APPLICATION], name: `capped ${index}` });
    }
    const startedAt = Date.now();
    for (let sent = 0; sent < EACH; sent += 500) {
      const events = Array.from({ length: 500 }, (_, n) => ({ application: APPLICATION, eventType: 'e', message: sent + n }));
      await first.must(202, 'POST', '/api/v1/events/batch', events);
    }
    const arrived = (limited: readonly Limited[]): number => limited.reduce((sum, { receiver }) => sum + receiver.received.length, 0);
    const another = async (count: number): Promise<void> => {
      const before = arrived(rated);
      await eventually(`${count} more at the rated endpoints`, () => arrived(rated) >= before + count, { deadlineMs: 60_000 });
    };

    await another(4 * RATE * 3);
    const second = await replica();
    const delivered = (): Promise<number> => second.metric('hookline_deliveries_delivered_total');
    await eventually('the second replica has its share', async () => (await delivered()) > 2 * RATE, { deadlineMs: 60_000 });
    const ownedBySecond = await delivered();
    await second.kill();
    await another(4 * RATE * 8);
    const ranMs = Date.now() - startedAt;

    // This machine's load moves arrivals by some hundred milliseconds, so seconds are looked at where attempts begin.
    const begun = await attemptsByEndpoint(engines.options.databaseUrl);
    const worst = Math.max(...begun.map((times) => mostIn(1_000, times)));
    const worstOfFive = Math.max(
      ...rated.map(({ receiver }) =>
        mostIn(
          5_000,
          receiver.received.map((request) => request.at),
        ),
      ),
    );
    const mostUnderWay = capped.map(({ most }) => most());
    const perSecond = rated.map(({ receiver }) => Math.round((receiver.received.length / ranMs) * 1_000));
    console.log(
      `rate ${RATE}: at most ${worst} begun in a second, ${worstOfFive} arrived in five; ${perSecond.join(', ')}/s over ${ranMs} ms`,
    );
    console.log(`cap ${CAP}: at most ${mostUnderWay.join(', ')} at once; the second replica delivered ${ownedBySecond}`);
    expect(worst).toBeLessThanOrEqual(RATE * 1.1);
    expect(Math.max(...begun.map((times) => mostIn(5_000, times)))).toBeLessThanOrEqual(5 * RATE * 1.1);
    // Arrivals know of attempts that the kill left unrecorded; they are late by up to a second on a busy machine. Two owners would make 500.
    expect(worstOfFive).toBeLessThanOrEqual(6 * RATE * 1.1);
    expect(Math.max(...mostUnderWay)).toBeLessThanOrEqual(CAP);

    const all = [...rated, ...capped];
    await eventually(
      'everything has arrived',
      () => all.every(({ receiver }) => new Set(receiver.received.map((request) => request.id)).size === EACH),
      { deadlineMs: 120_000, everyMs: 500 },
    );
  }, 300_000);
});
