import { acquireEngines, type EngineSet, type Engines } from '../support/engines';
import { eventually } from '../support/eventually';
import { Gateway, type GatewayOptions } from '../support/gateway';
import { ENDPOINTS, type EndpointName, ROUTES } from './items';
import { OutsideReceiver } from './outside-receiver';
import { OutsideSender } from './outside-sender';
import { compareLedger, judge, type LedgerCounts, type Verdict } from './verdict';

export interface RigOptions extends Pick<GatewayOptions, 'env'> {
  /** Engines of the rig's own, or those that the test brings. */
  engines: EngineSet | Engines;
  /** Processes on the same engines. */
  replicas?: number;
  /** Of each endpoint. */
  endpoint?: object;
  /** The URL that the gateway is to call instead of the receiver's own. */
  urlOf?: (name: EndpointName, url: string) => Promise<string>;
}

/** No attempt of the rig's is slow unless a test makes it so; a short timeout frees a killed process's leases sooner. */
const ENDPOINT = { timeoutMs: 5_000, retrySchedule: [0.5, 1, 1, 2, 2, 5, 5, 10, 10, 10, 10, 10, 10, 10, 10] };
const { three, one } = ROUTES;
/** Endpoint a is named by two filters that both match what goes to three: it must still get it once. */
const FILTERS: Readonly<Record<EndpointName, readonly string[][]>> = {
  a: [[three.eventType], [three.eventType, one.eventType]],
  b: [[three.eventType]],
  c: [[three.eventType]],
};

/** A gateway (or several) between an outside sender and outside receivers that all keep their own books. */
export class Rig {
  private constructor(
    readonly gateways: readonly Gateway[],
    readonly sender: OutsideSender,
    readonly receivers: Readonly<Record<EndpointName, OutsideReceiver>>,
    private readonly engines: Engines,
  ) {}

  static async start({ engines: wanted, env = {}, replicas = 1, endpoint = {}, urlOf }: RigOptions): Promise<Rig> {
    const engines = typeof wanted === 'string' ? await acquireEngines(wanted) : wanted;
    const start = (): Promise<Gateway> => Gateway.ready({ ...engines.options, env });
    const first = await start();
    const [a, b, c] = await Promise.all([OutsideReceiver.start(false), OutsideReceiver.start(false), OutsideReceiver.start(true)]);
    const receivers = { a, b, c };
    for (const name of ENDPOINTS) {
      const [filter, ...more] = FILTERS[name];
      const properties = name === 'c' ? { body: 'raw' } : {};
      const { url } = receivers[name].receiver;
      const { id, secret } = await first.subscribe(
        urlOf === undefined ? url : await urlOf(name, url),
        { name, ...ENDPOINT, properties, ...endpoint },
        { eventTypes: filter },
      );
      receivers[name].receiver.secrets = [secret];
      for (const eventTypes of more) await first.must(201, 'POST', '/api/v1/filters', { name: 'more', endpointIds: [id], eventTypes });
    }
    // Only now, so that they know the endpoints from the start: other processes follow a change within a second.
    const gateways = [first, ...(await Promise.all(Array.from({ length: replicas - 1 }, start)))];
    return new Rig(gateways, new OutsideSender(gateways.map(({ url }) => url)), receivers, engines);
  }

  get gateway(): Gateway {
    const [first] = this.gateways;
    if (!first) throw new Error('A rig has at least one gateway.');
    return first;
  }

  /** Deliveries that have come so far, again ones too. */
  get arrivals(): number {
    return ENDPOINTS.reduce((sum, name) => sum + this.receivers[name].total + this.receivers[name].receiver.received.length, 0);
  }

  async moreArrive(count: number, deadlineMs = 60_000): Promise<void> {
    const enough = this.arrivals + count;
    await eventually(`${count} more deliveries arrive`, () => this.arrivals >= enough, { deadlineMs });
  }

  /** The verdict as things stand. */
  judge(): Verdict {
    const { a, b, c } = this.receivers;
    return judge(this.sender.sent, { a: a.absorb(), b: b.absorb(), c: c.absorb() });
  }

  /**
   * Waits until everything accepted has arrived and nothing is under way any more, then compares all books. `what` heads the line
   * that is printed.
   */
  async expectNothingLost(what: string, deadlineMs = 90_000): Promise<Verdict> {
    await eventually(
      'everything accepted has arrived',
      () => {
        const { lost, accepted } = this.judge();
        if (lost.length > 0) throw new Error(`${lost.length} are missing of ${accepted} accepted items, such as ${lost[0]}`);
        return true;
      },
      { deadlineMs, everyMs: 250 },
    );
    await this.comesToRest(deadlineMs);
    const verdict = this.judge();
    const { accepted, arrived, duplicates, recovered, ...wrong } = verdict;
    console.log(`${what}: ${accepted} items accepted, ${arrived} deliveries, ${duplicates} of them again, ${recovered} without a 2xx`);
    expect(wrong).toEqual({ lost: [], unexpected: [], doubled: [], spoiled: [] });
    expect(compareLedger(this.sender.sent, await this.ledger())).toEqual([]);
    for (const gateway of this.gateways) expect(gateway.log).not.toMatch(/unhandled|Nobody handled/i);
    return verdict;
  }

  /** Waits until nothing waits in the broker, no event is pending, and the books fit; when they never do, the comparison fails later. */
  async comesToRest(deadlineMs: number): Promise<void> {
    await eventually(
      'the queues are empty and nothing is pending',
      async () => {
        const depths = await this.queueDepths();
        if (depths > 0) throw new Error(`${depths} messages are in the queues`);
        const pending = [...(await this.ledger()).values()].reduce((sum, counts) => sum + counts.pending, 0);
        if (pending > 0) throw new Error(`${pending} events are pending`);
        return true;
      },
      { deadlineMs, everyMs: 250 },
    );
  }

  /** By source. */
  async ledger(): Promise<Map<string, LedgerCounts>> {
    const { sources } = await this.gateway.must(200, 'GET', '/api/v1/ledger');
    return new Map((sources as (LedgerCounts & { source: string })[]).map((counts) => [counts.source, counts]));
  }

  async close(): Promise<void> {
    await this.sender.close();
    await Promise.all(this.gateways.map((gateway) => gateway.remove()));
    await Promise.all(ENDPOINTS.map((name) => this.receivers[name].receiver.stop()));
    await this.engines.release();
  }

  /** In all queues, dead ones too. */
  private async queueDepths(): Promise<number> {
    const { body } = await this.gateway.get('/metrics');
    const depths = [...String(body).matchAll(/^hookline_queue_depth\{[^}]*\} (\d+)$/gm)].map(([, depth]) => Number(depth));
    if (depths.length === 0) throw new Error('the depths of the queues are not known');
    return depths.reduce((sum, depth) => sum + depth, 0);
  }
}
