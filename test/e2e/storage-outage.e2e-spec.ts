import { setTimeout as wait } from 'node:timers/promises';
import { connect } from 'amqplib';
import { eventually } from '../support/eventually';
import { FacebookSender, newMessageId } from '../support/facebook-sender';
import { Gateway } from '../support/gateway';
import { nothingIsLost } from '../support/outage';
import { Receiver } from '../support/receiver';
import type { PostgresServer } from '../support/services/postgres';
import type { VirtualHost } from '../support/services/rabbitmq';
import { acquireVhost, startPrivatePostgres } from '../support/services/services';

const ANSWER_WITHIN_MS = 5_500;
/** `npm run test:long` sets ten minutes. */
const OUTAGE_MS = Number(process.env.LONG_OUTAGE_MINUTES ?? 1 / 3) * 60_000;
const DEAD_QUEUES = ['default', 'spam', 'special'].map((lane) => `webhooks.facebook.${lane}.dead`);

describe('PostgreSQL away', () => {
  let postgres: PostgresServer;
  let vhost: VirtualHost;
  let gateway: Gateway;
  let receiver: Receiver;
  let sender: FacebookSender;

  beforeAll(async () => {
    [postgres, vhost, receiver] = await Promise.all([startPrivatePostgres(), acquireVhost(), Receiver.start()]);
    gateway = await Gateway.ready({ rabbitMqUrl: vhost.url, databaseUrl: postgres.url });
    const { secret } = await gateway.subscribe(receiver.url);
    receiver.secrets = [secret];
    sender = new FacebookSender(gateway.url);
  }, 120_000);
  afterAll(async () => {
    await sender?.close();
    await gateway?.remove();
    await Promise.all([postgres?.remove(), receiver?.stop(), vhost?.release()]);
  });

  it(
    `for ${Math.round(OUTAGE_MS / 1_000)} s under load: the API answers 503, requests are accepted, nothing is dead or lost`,
    async () => {
      sender.startLoad({ requestsPerSecond: 50, parallel: 20, itemsPerRequest: 2 });
      await eventually('deliveries are under way', () => receiver.received.length > 100);
      await postgres.kill();
      const end = Date.now() + OUTAGE_MS;

      await eventually('the API answers 503', async () => {
        const started = Date.now();
        const { status, body, headers } = await gateway.call('GET', '/api/v1/events');
        expect(Date.now() - started).toBeLessThan(ANSWER_WITHIN_MS);
        expect({ status, code: body.code }).toEqual({ status: 503, code: 'storage_unavailable' });
        expect(Number(headers['retry-after'])).toBeGreaterThan(0);
        return true;
      });
      sender.statuses.clear();
      sender.slowestMs = 0;
      await wait(Math.max(0, end - Date.now())); // the length of the outage is the test's input, nothing is waited for
      expect([...sender.statuses.keys()]).toEqual([200]);
      expect(sender.slowestMs).toBeLessThan(ANSWER_WITHIN_MS);
      expect((await gateway.get('/health/live')).status).toBe(200);

      await postgres.start();
      await gateway.becomesReady(60_000);
      await sender.stopLoad();
      await nothingIsLost(sender, receiver, 120_000);
      const total = await gateway.drained(120_000);
      expect(total).toMatchObject({ dead: 0, filtered: 0, cancelled: 0, pending: 0 });
      expect(await depths(vhost.url, DEAD_QUEUES)).toEqual([0, 0, 0]);
      expect(gateway.log).not.toMatch(/unhandled/i);
    },
    OUTAGE_MS + 300_000,
  );

  it('down at the start: it comes up when the database does', async () => {
    await gateway.terminate();
    await postgres.stop();
    gateway.start();
    await gateway.answers('/health/live', 200);
    // Webhooks are taken in without it, so the process is ready and says what it lacks.
    await gateway.answers('/health/ready', 200);
    expect((await gateway.get('/health/ready')).body.details.storage).toMatchObject({ status: 'up', degraded: expect.any(String) });
    await gateway.answers('/api/v1/ledger', 503);
    expect((await sender.send([newMessageId()])).status).toBe(200);
    await postgres.start();
    await gateway.answers('/api/v1/ledger', 200, 60_000);
    await nothingIsLost(sender, receiver);
  }, 180_000);
});

async function depths(url: string, queues: readonly string[]): Promise<number[]> {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  const found: number[] = [];
  for (const queue of queues) found.push((await channel.checkQueue(queue)).messageCount);
  await connection.close();
  return found;
}
