import { Logger } from '@nestjs/common';
import { type ChannelModel, connect } from 'amqplib';
import { RabbitMqBroker } from '../../src/broker/rabbitmq/rabbitmq-broker';
import { REDELIVERY_LIMIT, TOPOLOGY, deadQueueOf } from '../../src/broker/topology';
import { LedgerTally, recordDelta } from '../../src/dispatcher/ledger-delta';
import { RABBIT_OPTIONS } from '../conformance/broker/open-broker';
import { ENGINES } from '../conformance/storage/engines';
import { eventually } from '../support/eventually';
import { acquireVhost } from '../support/services/services';
import { LedgerRig } from './ledger-rig';

const QUEUE = 'webhooks.facebook.default';
const [engine] = ENGINES;

describe('messages that RabbitMQ itself has buried', () => {
  let vhost: Awaited<ReturnType<typeof acquireVhost>>;
  let broker: RabbitMqBroker;
  let connection: ChannelModel;
  let rig: LedgerRig;

  beforeEach(async () => {
    Logger.overrideLogger(false);
    vhost = await acquireVhost();
    broker = await RabbitMqBroker.start({ ...RABBIT_OPTIONS, servers: [vhost.url] }, TOPOLOGY);
    connection = await connect(vhost.url);
    rig = await LedgerRig.create(engine as (typeof ENGINES)[number], broker);
    Logger.overrideLogger(false);
  });
  afterEach(async () => {
    await connection.close();
    await rig.close();
    await vhost.release();
  });

  const publish = (id: string): Promise<void> =>
    broker.publish({ exchange: 'webhooks', routingKey: QUEUE, id, body: Buffer.from(id), headers: { 'x-request-id': id } });

  /** Hands it back, counted, until RabbitMQ has had enough of it. */
  const wearOut = async (): Promise<void> => {
    const channel = await connection.createChannel();
    for (let death = 0; death <= REDELIVERY_LIMIT; death++) {
      const raw = await eventually('it is handed out', () => channel.get(QUEUE));
      channel.reject(raw, true);
    }
    await channel.close();
  };

  const deadNow = async (): Promise<number> => (await broker.depth(deadQueueOf(QUEUE))).messages;

  it('are booked once as accepted and dead, and stay in the dead queue with a reason', async () => {
    const channel = await connection.createConfirmChannel();
    for (let i = 0; i < 3; i++) channel.sendToQueue(deadQueueOf(QUEUE), Buffer.from('ours'), { headers: { 'x-dead-reason': 'ours' } });
    await channel.waitForConfirms();
    await publish('deadly');
    await wearOut();
    await eventually('it is buried', async () => (await deadNow()) === 4);

    const tally = new LedgerTally();
    tally.doorConfirmed('facebook');
    await rig.dispatch.storage.transaction((trx) => recordDelta(trx, tally));
    await rig.checkNow();
    expect(await rig.repaired()).toEqual({});
    rig.pass(60_000);
    await rig.checkNow();
    expect(await rig.repaired()).toEqual({ dead_unbooked: 1 });
    expect(await rig.dispatch.sums()).toEqual({ facebook: { accepted: 1, dead: 1, door_confirmed: 1, door_dispatched: 1 } });

    expect(await broker.findUntoldDead(QUEUE, () => Promise.reject(new Error('told again')))).toBe(0);
    await eventually('all are back', async () => (await deadNow()) === 4);
    const reasons: unknown[] = [];
    for (let i = 0; i < 4; i++) {
      const raw = await channel.get(deadQueueOf(QUEUE), { noAck: true });
      if (raw) reasons.push(raw.properties.headers?.['x-dead-reason']);
    }
    expect(reasons.sort()).toEqual(['its process died with it too often', 'ours', 'ours', 'ours']);
  });

  it('are told of before a consumption buries them', async () => {
    await publish('deadly');
    const told: string[] = [];
    const channel = await connection.createChannel();
    for (let death = 0; death < REDELIVERY_LIMIT; death++) {
      const raw = await eventually('it is handed out', () => channel.get(QUEUE));
      channel.reject(raw, true);
    }
    await channel.close();
    await broker.consume({
      queue: QUEUE,
      concurrency: 1,
      handle: () => Promise.reject(new Error('not to be handled')),
      givenUp: ({ id }) => Promise.resolve(void told.push(id)),
      isAvailable: () => Promise.resolve(true),
    });
    await eventually('it is buried', async () => (await deadNow()) === 1);
    expect(told).toEqual(['deadly']);
  });
});
