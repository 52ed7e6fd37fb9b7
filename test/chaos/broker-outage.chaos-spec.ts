import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../support/eventually';
import { takeFromRabbitMq } from '../support/queues';
import type { RabbitMqNode } from '../support/services/rabbitmq';
import { acquireDatabase, startPrivateRabbitMq } from '../support/services/services';
import { TcpProxy } from '../support/tcp-proxy';
import { Rig } from './rig';
import { SCALE } from './scale';

/** The promise of the design, and a little for the tests' own machine. */
const ANSWER_WITHIN_MS = 5_500;
const READY_WITHIN_MS = 10_000;
const LOAD = { requestsPerSecond: 100, parallel: 20, itemsPerRequest: 3, restSenders: 4 };
const MEBIBYTE = 1_048_576;

describe('RabbitMQ away', () => {
  let node: RabbitMqNode;
  let proxy: TcpProxy;
  let rig: Rig;

  beforeAll(async () => {
    const [started, database] = await Promise.all([startPrivateRabbitMq(), acquireDatabase()]);
    node = started;
    const proxied = await TcpProxy.inFrontOf(node.url);
    proxy = proxied.proxy;
    const release = async (): Promise<void> => {
      await Promise.all([node.remove(), proxy.stop(), database.release()]);
    };
    rig = await Rig.start({ engines: { options: { rabbitMqUrl: proxied.url, databaseUrl: database.url }, release } });
  }, 120_000);
  afterAll(() => rig?.close());

  /** Sends until an answer is a 503; each one says when to come again and comes in time. REST needs no broker. */
  async function expectRefusals(): Promise<void> {
    const { sender, gateway } = rig;
    await eventually('a 503', async () => (await sender.send(sender.newItems(1))) === 503);
    const { status, headers } = await gateway.call('POST', '/facebook', {});
    expect([401, 503]).toContain(status);
    if (status === 503) expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect((await gateway.get('/health/live')).status).toBe(200);
    await gateway.answers('/health/ready', 503);
    expect(await sender.send(sender.newItems(1, 'events'))).toBe(202);
  }

  /** What is sent until now was answered in time, and by nothing but these statuses. */
  function expectAnswersInTime(): void {
    expect(rig.sender.slowestMs).toBeLessThan(ANSWER_WITHIN_MS);
    const { statuses } = rig.sender;
    expect([...statuses.keys()].filter((key) => !['events 202', 'facebook 200', 'facebook 503'].includes(key))).toEqual([]);
    for (const key of ['events 202', 'facebook 503']) expect(statuses.get(key)).toBeGreaterThan(0);
  }

  it(
    `killed ${SCALE.brokerKills} times under load: 503 in time while it is away, nothing lost, the gateway is not restarted`,
    async () => {
      for (let round = 0; round < SCALE.brokerKills; round++) {
        rig.sender.startLoad(LOAD);
        await rig.moreArrive(200);
        rig.sender.clearTimes();
        await node.kill();
        await expectRefusals();
        await node.start();
        await rig.gateway.becomesReady(READY_WITHIN_MS);
        await rig.sender.stopLoad();
        expectAnswersInTime();
      }
      await rig.expectNothingLost(`${SCALE.brokerKills} kills of the broker`);
      expect(await takeFromRabbitMq(node.url, 'webhooks.facebook.default.dead')).toEqual([]);
    },
    SCALE.brokerKills * 60_000 + 200_000,
  );

  it(
    `silent for ${SCALE.stallSeconds} s, as when a network is lost: 503 in time, memory bounded, and it recovers by itself`,
    async () => {
      rig.sender.startLoad(LOAD);
      await rig.moreArrive(100);
      const before = await rig.gateway.metric('process_resident_memory_bytes');
      rig.sender.clearTimes();
      proxy.stall();
      const end = Date.now() + SCALE.stallSeconds * 1_000;
      await expectRefusals();
      await wait(Math.max(0, end - Date.now())); // the length of the silence is the test's input, nothing is waited for
      expectAnswersInTime();
      expect((await rig.gateway.metric('process_resident_memory_bytes')) - before).toBeLessThan(100 * MEBIBYTE);
      proxy.restore();
      await rig.gateway.becomesReady(60_000);
      await rig.sender.stopLoad();
      await rig.expectNothingLost(`${SCALE.stallSeconds} s without a packet from the broker`);
    },
    SCALE.stallSeconds * 1_000 + 240_000,
  );

  it('cut, slow and a byte at a time: nothing lost', async () => {
    rig.sender.startLoad(LOAD);
    await rig.moreArrive(100);
    for (const spoil of [() => (proxy.latencyMs = 200), () => (proxy.bytesPerSecond = 2_000), () => proxy.cut()]) {
      const before = rig.sender.times.length;
      spoil();
      await eventually('it was so under load', () => rig.sender.times.length > before + 100, { deadlineMs: 60_000 });
      proxy.latencyMs = 0;
      proxy.bytesPerSecond = undefined;
      proxy.restore();
      await rig.gateway.becomesReady(60_000);
    }
    await rig.sender.stopLoad();
    await rig.expectNothingLost('a slow and a cut connection to the broker');
  }, 240_000);

  it('down at the start: HTTP is up, live, not ready, and it recovers by itself', async () => {
    const { gateway, sender } = rig;
    await gateway.terminate();
    await node.stop();
    gateway.start();
    await gateway.answers('/health/live', 200);
    await gateway.answers('/health/ready', 503);
    sender.clearTimes();
    expect(await sender.send(sender.newItems(1))).toBe(503);
    expect(sender.slowestMs).toBeLessThan(ANSWER_WITHIN_MS);
    expect((await gateway.get('/api/v1/endpoints')).status).toBe(200);
    await node.start();
    await gateway.becomesReady(READY_WITHIN_MS);
    expect(await sender.send(sender.newItems(10))).toBe(200);
    await rig.expectNothingLost('a start without the broker');
  }, 180_000);
});
