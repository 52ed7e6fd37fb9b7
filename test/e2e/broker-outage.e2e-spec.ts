import { eventually } from '../support/eventually';
import { FacebookSender, newMessageId } from '../support/facebook-sender';
import { Gateway } from '../support/gateway';
import { nothingIsLost } from '../support/outage';
import { takeFromRabbitMq } from '../support/queues';
import { Receiver } from '../support/receiver';
import type { Database } from '../support/services/postgres';
import type { RabbitMqNode } from '../support/services/rabbitmq';
import { acquireDatabase, startPrivateRabbitMq } from '../support/services/services';
import { TcpProxy } from '../support/tcp-proxy';

/** The promise of the design, and a little for the tests' own machine. */
const ANSWER_WITHIN_MS = 5_500;
const LOAD = { requestsPerSecond: 100, parallel: 20, itemsPerRequest: 3 };

describe('RabbitMQ away', () => {
  let node: RabbitMqNode;
  let database: Database;
  let proxy: TcpProxy;
  let gateway: Gateway;
  let receiver: Receiver;
  let sender: FacebookSender;

  beforeAll(async () => {
    [node, database, receiver] = await Promise.all([startPrivateRabbitMq(), acquireDatabase(), Receiver.start()]);
    const proxied = await TcpProxy.inFrontOf(node.url);
    proxy = proxied.proxy;
    gateway = await Gateway.ready({ rabbitMqUrl: proxied.url, databaseUrl: database.url });
    const { secret } = await gateway.subscribe(receiver.url);
    receiver.secrets = [secret];
    sender = new FacebookSender(gateway.url);
  }, 120_000);
  afterAll(async () => {
    await sender?.close();
    await gateway?.remove();
    await proxy?.stop();
    await Promise.all([node?.remove(), receiver?.stop(), database?.release()]);
  });

  /** Sends until an answer is a 503, and checks that it says when to come again. */
  async function expectRefusals(): Promise<void> {
    await eventually('a 503', async () => (await sender.send([newMessageId()])).status === 503);
    const { status, durationMs } = await sender.send([newMessageId()]);
    expect(status).toBe(503);
    expect(durationMs).toBeLessThan(ANSWER_WITHIN_MS);
    const { status: live } = await gateway.get('/health/live');
    expect(live).toBe(200);
    await gateway.answers('/health/ready', 503);
  }

  async function expectRecovery(): Promise<void> {
    await gateway.becomesReady(60_000);
    await eventually('requests are accepted', async () => (await sender.send([newMessageId()])).status === 200);
    await nothingIsLost(sender, receiver);
  }

  it('killed and started again under load: 503 in time while it is away, nothing lost, no restart of the gateway', async () => {
    for (let round = 0; round < 2; round++) {
      sender.startLoad(LOAD);
      const enough = receiver.received.length + 200;
      await eventually('deliveries are under way', () => receiver.received.length > enough);
      sender.statuses.clear();
      sender.slowestMs = 0;
      await node.kill();
      await expectRefusals();
      await node.start();
      await gateway.becomesReady(60_000);
      await sender.stopLoad();
      expect(sender.slowestMs).toBeLessThan(ANSWER_WITHIN_MS);
      expect([...sender.statuses.keys()].sort()).toEqual([200, 503]);
      await expectRecovery();
    }
    await gateway.drained();
    expect(await takeFromRabbitMq(node.url, 'webhooks.facebook.default.dead')).toEqual([]);
    expect(receiver.received.every((request) => request.verified)).toBe(true);
  }, 240_000);

  it('silent, as when a network is lost: 503 in time, and it recovers by itself', async () => {
    sender.startLoad(LOAD);
    const enough = receiver.received.length + 50;
    await eventually('deliveries are under way', () => receiver.received.length > enough);
    sender.slowestMs = 0;
    proxy.stall();
    await expectRefusals();
    proxy.restore();
    await gateway.becomesReady(60_000);
    await sender.stopLoad();
    expect(sender.slowestMs).toBeLessThan(ANSWER_WITHIN_MS);
    await expectRecovery();
  }, 180_000);

  it('down at the start: HTTP is up, live, not ready, and it recovers by itself', async () => {
    await gateway.terminate();
    await node.stop();
    gateway.start();
    await gateway.answers('/health/live', 200);
    await gateway.answers('/health/ready', 503);
    const refused = await gateway.call('POST', '/facebook', {});
    expect([401, 503]).toContain(refused.status);
    const { status, durationMs } = await sender.send([newMessageId()]);
    expect(status).toBe(503);
    expect(durationMs).toBeLessThan(ANSWER_WITHIN_MS);
    expect((await gateway.get('/api/v1/endpoints')).status).toBe(200);
    await node.start();
    await expectRecovery();
  }, 180_000);
});
