import { setTimeout as wait } from 'node:timers/promises';
import { acquireEngines, ENGINE_SETS } from '../support/engines';
import { eventually } from '../support/eventually';
import { TcpProxy } from '../support/tcp-proxy';
import { Rig } from './rig';
import { IS_FULL, SCALE } from './scale';

const MINUTES = Number(process.env.SOAK_MINUTES ?? SCALE.soakMinutes);
const FAULT_EVERY_MS = IS_FULL ? 60_000 : 6_000;
const FAULT_LASTS_MS = IS_FULL ? 10_000 : 1_500;
const AUDIT_EVERY_MS = 10_000;
/** The age of the oldest delivery from which docs/operations.md has an alarm, and how soon after that the metric must say so. */
const ALARM_AGE_S = IS_FULL ? 60 : 3;
const ALARM_DELAY_MS = 10_000;
const LOAD = { requestsPerSecond: 50, parallel: 20, itemsPerRequest: 3, restSenders: 4 };
/** Connections are kept for a while: 100 to each of three endpoints, 40 of the sender; and what is always open. */
const MOST_FDS = 500;
const MEBIBYTE = 1_048_576;

describe.each(ENGINE_SETS)('A long run with faults, on %s', (set) => {
  let rig: Rig;
  let proxies: TcpProxy[] = [];

  beforeAll(async () => {
    const engines = await acquireEngines(set);
    const { rabbitMqUrl, databaseUrl } = engines.options;
    const options: typeof engines.options = {};
    proxies = [];
    if (rabbitMqUrl !== undefined && databaseUrl !== undefined) {
      const [broker, database] = await Promise.all([TcpProxy.inFrontOf(rabbitMqUrl), TcpProxy.inFrontOf(databaseUrl)]);
      proxies = [broker.proxy, database.proxy];
      Object.assign(options, { rabbitMqUrl: broker.url, databaseUrl: database.url });
    }
    const release = async (): Promise<void> => {
      await Promise.all(proxies.map((proxy) => proxy.stop()));
      await engines.release();
    };
    const env = { NODE_OPTIONS: `--require ${require.resolve('../support/standstill.js')}` };
    rig = await Rig.start({ engines: { options, release }, env });
  });
  afterAll(() => rig?.close());

  /** Each begins and ends by itself. */
  const faults = (): [what: string, run: () => Promise<unknown>][] => {
    const { gateway } = rig;
    const during = async (begin: () => unknown, end: () => unknown): Promise<void> => {
      begin();
      await wait(FAULT_LASTS_MS); // the length of the fault is the test's input
      end();
    };
    return [
      ['kill', async () => (await gateway.kill(), gateway.start())],
      ['dispatcher stopped', dispatcherStops],
      ['SIGTERM', async () => (await gateway.terminate(), gateway.start())],
      ...proxies.flatMap((proxy, index): [string, () => Promise<unknown>][] => {
        const whose = index === 0 ? 'broker' : 'database';
        return [
          [
            `${whose} cut`,
            () =>
              during(
                () => proxy.cut(),
                () => proxy.restore(),
              ),
          ],
          [
            `${whose} silent`,
            () =>
              during(
                () => proxy.stall(),
                () => proxy.restore(),
              ),
          ],
          [
            `${whose} slow`,
            () =>
              during(
                () => (proxy.latencyMs = 50),
                () => (proxy.latencyMs = 0),
              ),
          ],
        ];
      }),
    ];
  };

  it(
    `${MINUTES} min, a fault every ${FAULT_EVERY_MS / 1_000} s: the sum holds at every audit, nothing lost`,
    async () => {
      const { sender, gateway } = rig;
      sender.startLoad(LOAD);
      await rig.moreArrive(100);
      const begun = await figures();
      const end = Date.now() + MINUTES * 60_000;
      let nextFault = Date.now() + FAULT_EVERY_MS / 2;
      let audits = 0;
      const made: string[] = [];
      for (let turn = 0; Date.now() < end; turn++) {
        if (Date.now() >= nextFault) {
          nextFault += FAULT_EVERY_MS;
          const all = faults();
          const [what, run] = all[made.length % all.length] ?? [];
          made.push(what ?? '');
          await run?.();
          await gateway.becomesReady(60_000);
          await gateway.answers('/api/v1/ledger', 200, 60_000);
        }
        rig.judge(); // keeps the books of the receivers short
        const wrong = [...(await rig.ledger())].filter(([, counts]) => {
          const { accepted, delivered, filtered, duplicate, dead, cancelled, pending } = counts;
          return accepted !== delivered + filtered + duplicate + dead + cancelled + pending;
        });
        expect(wrong).toEqual([]);
        audits += 1;
        await wait(Math.min(AUDIT_EVERY_MS, Math.max(0, nextFault - Date.now()), Math.max(0, end - Date.now())));
      }
      await sender.stopLoad();
      await rig.expectNothingLost(`${set}, ${MINUTES} min, ${audits} audits, ${made.join(', ')}`, 180_000);
      const ended = await figures();
      console.log(`${set}: ${begun.fds} files and sockets became ${ended.fds}, ${begun.heapMiB} MiB of heap ${ended.heapMiB}`);
      expect(ended.fds).toBeLessThan(MOST_FDS);
      expect(ended.heapMiB - begun.heapMiB).toBeLessThan(100);
      expect(await gateway.metric('hookline_ledger_imbalance')).toBe(0);
    },
    MINUTES * 60_000 + 400_000,
  );

  /** As if its loop hung: nobody is told but by the age of what waits. */
  async function dispatcherStops(): Promise<void> {
    const age = (): Promise<number> => rig.gateway.metric('hookline_oldest_undelivered_age_seconds');
    const toggle = (): boolean => process.kill(rig.gateway.pid ?? NaN, 'SIGUSR2');
    toggle();
    const deadlineMs = ALARM_AGE_S * 1_000 + ALARM_DELAY_MS;
    await eventually('the alarm of the oldest delivery', async () => (await age()) > ALARM_AGE_S, { deadlineMs, everyMs: 1_000 });
    toggle();
    await eventually('what has waited is delivered', async () => (await age()) < 2, { deadlineMs: 60_000, everyMs: 250 });
  }

  async function figures(): Promise<{ fds: number; heapMiB: number }> {
    const [fds, heap] = [await rig.gateway.metric('process_open_fds'), await rig.gateway.metric('nodejs_heap_size_used_bytes')];
    return { fds, heapMiB: Math.round(heap / MEBIBYTE) };
  }
});
