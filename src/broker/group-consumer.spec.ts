import { eventually } from '../../test/support/eventually';
import { Logger } from '@nestjs/common';
import { GatewayError } from '../core/errors';
import type { ConsumeOptions, IncomingMessage } from './broker';
import { DEFAULT_TUNING, type Engine, GroupConsumer } from './group-consumer';

const TUNING = { ...DEFAULT_TUNING, maxRetryDelayMs: 5, firstProbeMs: 1, maxProbeMs: 2 };

const message = (id: string): IncomingMessage => ({
  id,
  queue: 'q',
  exchange: '',
  routingKey: 'q',
  body: Buffer.from(id),
  headers: {},
  redeliveries: 0,
});

/** An engine that gives what waits when it is asked, and resolves `settled` once all of it is acknowledged. */
class FakeEngine implements Engine<IncomingMessage> {
  readonly acked: string[] = [];
  readonly requeued: string[] = [];
  readonly settled: Promise<void>;
  consumer: GroupConsumer<IncomingMessage> | undefined;
  private resolve: () => void = () => undefined;
  private readonly count: number;

  constructor(
    private waiting: IncomingMessage[],
    private readonly beforeRefill: () => void = () => undefined,
  ) {
    this.count = waiting.length;
    this.settled = new Promise((resolve) => (this.resolve = resolve));
  }

  refill(): void {
    this.beforeRefill();
    for (const each of this.waiting.splice(0)) this.consumer?.push(each);
  }

  handOut(): void {}

  ack(messages: readonly IncomingMessage[]): void {
    this.acked.push(...messages.map(({ id }) => id));
    if (this.acked.length === this.count) this.resolve();
  }

  requeue(messages: readonly IncomingMessage[]): void {
    this.requeued.push(...messages.map(({ id }) => id));
  }

  bury(): Promise<void> {
    return Promise.reject(new Error('nothing is buried here'));
  }

  openIntake(): void {}

  closeIntake(): Promise<void> {
    return Promise.resolve();
  }
}

function consume(engine: FakeEngine, handle: ConsumeOptions['handle']): GroupConsumer<IncomingMessage> {
  const consumer = new GroupConsumer({ queue: 'q', concurrency: 1, handle, isAvailable: () => Promise.resolve(true) }, engine, TUNING);
  engine.consumer = consumer;
  consumer.wake();
  return consumer;
}

const ackAll = (group: IncomingMessage[]): Promise<{ kind: 'ack' }[]> => Promise.resolve(group.map(() => ({ kind: 'ack' })));

describe('GroupConsumer', () => {
  beforeAll(() => Logger.overrideLogger(false));

  it('asks again when the messages cannot be read just now', async () => {
    let asked = 0;
    const engine = new FakeEngine([message('a')], () => {
      asked += 1;
      if (asked <= 2) throw new Error('disk I/O error');
    });
    const consumer = consume(engine, ackAll);
    await engine.settled;
    expect(engine.acked).toEqual(['a']);
    await consumer.stop(1_000);
  });

  it('tries each message alone when a group meets an outage again and again that nobody else sees', async () => {
    const engine = new FakeEngine([message('a'), message('b'), message('c')]);
    const sizes: number[] = [];
    const consumer = consume(engine, (group) => {
      sizes.push(group.length);
      if (group.length > 1) return Promise.reject(new GatewayError('storage_unavailable', 'canceling statement due to statement timeout'));
      return ackAll(group);
    });
    await eventually('all are acknowledged', () => engine.acked.length === 3);
    await consumer.stop(1_000);
    expect(engine.acked).toEqual(['a', 'b', 'c']);
    expect(engine.requeued).toEqual([]);
    expect(sizes).toEqual([3, 3, 3, 1, 1, 1]);
  });
});
