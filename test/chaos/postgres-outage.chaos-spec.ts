import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../support/eventually';
import type { PostgresServer } from '../support/services/postgres';
import { acquireVhost, startPrivatePostgres } from '../support/services/services';
import { TcpProxy } from '../support/tcp-proxy';
import { Rig } from './rig';
import { SCALE } from './scale';

const ANSWER_WITHIN_MS = 5_500;
/** `npm run test:long` sets ten minutes. */
const { LONG_OUTAGE_MINUTES } = process.env;
const AWAY_SECONDS = LONG_OUTAGE_MINUTES === undefined ? SCALE.postgresAwaySeconds : Number(LONG_OUTAGE_MINUTES) * 60;
const LOAD = { requestsPerSecond: 50, parallel: 20, itemsPerRequest: 3, restSenders: 4 };

describe('PostgreSQL away', () => {
  let postgres: PostgresServer;
  let proxy: TcpProxy;
  let rig: Rig;

  beforeAll(async () => {
    const [server, vhost] = await Promise.all([startPrivatePostgres(), acquireVhost()]);
    postgres = server;
    const proxied = await TcpProxy.inFrontOf(postgres.url);
    proxy = proxied.proxy;
    const release = async (): Promise<void> => {
      await Promise.all([postgres.remove(), proxy.stop(), vhost.release()]);
    };
    rig = await Rig.start({ engines: { options: { rabbitMqUrl: vhost.url, databaseUrl: proxied.url }, release } });
  }, 120_000);
  afterAll(() => rig?.close());

  /** The API says in time that the database is away. */
  const apiRefuses = (): Promise<true> =>
    eventually('the API answers 503', async () => {
      const started = Date.now();
      const { status, body, headers } = await rig.gateway.call('GET', '/api/v1/events');
      expect(Date.now() - started).toBeLessThan(ANSWER_WITHIN_MS);
      expect({ status, code: body.code }).toEqual({ status: 503, code: 'storage_unavailable' });
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      return true;
    });

  /** Webhooks were all taken in; publications by REST were taken or refused. All in time. */
  function expectWebhooksTakenIn(): void {
    const { statuses, slowestMs } = rig.sender;
    expect([...statuses.keys()].filter((key) => !['facebook 200', 'events 202', 'events 503'].includes(key))).toEqual([]);
    expect(statuses.get('facebook 200')).toBeGreaterThan(0);
    expect(slowestMs).toBeLessThan(ANSWER_WITHIN_MS);
  }

  /** Under load: what `spoil` does lasts so long, then all is as before and nothing is lost. */
  async function expectOutlived(what: string, seconds: number, spoil: () => unknown, mend: () => unknown): Promise<void> {
    rig.sender.startLoad(LOAD);
    await rig.moreArrive(100);
    rig.sender.clearTimes();
    const end = Date.now() + seconds * 1_000;
    await spoil();
    try {
      await apiRefuses();
      await wait(Math.max(0, end - Date.now())); // the length of the outage is the test's input, nothing is waited for
      expect((await rig.gateway.get('/health/live')).status).toBe(200);
      expectWebhooksTakenIn();
    } finally {
      await mend();
    }
    await rig.gateway.answers('/api/v1/ledger', 200, 60_000);
    await rig.sender.stopLoad();
    await rig.expectNothingLost(what, 180_000);
  }

  it(
    `for ${AWAY_SECONDS} s under load: the API answers 503, webhooks are taken in, nothing is dead or lost`,
    () =>
      expectOutlived(
        `${AWAY_SECONDS} s without PostgreSQL`,
        AWAY_SECONDS,
        () => postgres.kill(),
        () => postgres.start(),
      ),
    AWAY_SECONDS * 1_000 + 300_000,
  );

  it(
    `silent for ${SCALE.stallSeconds} s: the API answers in time, webhooks are taken in, nothing is lost`,
    () =>
      expectOutlived(
        `${SCALE.stallSeconds} s without a packet from PostgreSQL`,
        SCALE.stallSeconds,
        () => proxy.stall(),
        () => proxy.restore(),
      ),
    SCALE.stallSeconds * 1_000 + 300_000,
  );

  it(
    `killed and started again ${SCALE.postgresRestarts} times under load: nothing lost`,
    async () => {
      rig.sender.startLoad(LOAD);
      rig.sender.clearTimes();
      for (let round = 0; round < SCALE.postgresRestarts; round++) {
        await rig.moreArrive(200);
        if (round % 2 === 0) await postgres.kill();
        else await postgres.stop();
        await postgres.start();
      }
      await rig.gateway.answers('/api/v1/ledger', 200, 60_000);
      await rig.sender.stopLoad();
      expectWebhooksTakenIn();
      await rig.expectNothingLost(`${SCALE.postgresRestarts} restarts of PostgreSQL`, 180_000);
    },
    SCALE.postgresRestarts * 30_000 + 300_000,
  );

  it('the gateway killed while PostgreSQL is silent: what was taken in and not written is still in the broker', async () => {
    const { gateway, sender } = rig;
    sender.clearTimes();
    await sender.startBurst(20, 5);
    await sender.stopLoad();
    proxy.stall();
    await sender.startBurst(20, 5);
    await eventually('all of it is taken in', () => (sender.statuses.get('facebook 200') ?? 0) >= 40);
    await gateway.kill();
    // What it had sent is dropped: else the database would still get it.
    proxy.cut();
    proxy.restore();
    gateway.start();
    await gateway.becomesReady();
    await sender.stopLoad();
    await rig.expectNothingLost('a kill while PostgreSQL is silent');
  }, 180_000);

  it('down at the start: webhooks are taken in, and it comes up when the database does', async () => {
    const { gateway, sender } = rig;
    await gateway.terminate();
    await postgres.stop();
    gateway.start();
    await gateway.answers('/health/live', 200);
    // Webhooks are taken in without it, so the process is ready and says what it lacks.
    await gateway.answers('/health/ready', 200);
    expect((await gateway.get('/health/ready')).body.details.storage).toMatchObject({ status: 'up', degraded: expect.any(String) });
    await gateway.answers('/api/v1/ledger', 503);
    expect(await sender.send(sender.newItems(10))).toBe(200);
    await postgres.start();
    await gateway.answers('/api/v1/ledger', 200, 60_000);
    await rig.expectNothingLost('a start without PostgreSQL');
  }, 180_000);
});
