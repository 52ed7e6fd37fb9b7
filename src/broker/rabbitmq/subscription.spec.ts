import { EventEmitter } from 'node:events';
import { Logger } from '@nestjs/common';
import type { ChannelModel } from 'amqplib';
import { eventually } from '../../../test/support/eventually';
import { Subscription } from './subscription';

class FakeChannel extends EventEmitter {
  isClosed = false;
  readonly consumed: string[] = [];

  prefetch(): Promise<void> {
    return this.isClosed ? Promise.reject(new Error('Channel closed')) : Promise.resolve();
  }

  consume(queue: string): Promise<{ consumerTag: string }> {
    if (this.isClosed) return Promise.reject(new Error('Channel closed'));
    this.consumed.push(queue);
    return Promise.resolve({ consumerTag: 'tag' });
  }

  close(): Promise<void> {
    return this.isClosed ? Promise.reject(new Error('Channel closed')) : Promise.resolve();
  }
}

const modelOf = (channel: FakeChannel): ChannelModel => ({ createChannel: () => Promise.resolve(channel) }) as unknown as ChannelModel;

describe('Subscription', () => {
  let subscription: Subscription;

  beforeAll(() => Logger.overrideLogger(false));
  afterEach(() => subscription.end());

  it('takes a new channel when the one it was given had ended, with its connection, before anybody listened', async () => {
    const dead = new FakeChannel();
    const live = new FakeChannel();
    let model: ChannelModel | undefined;
    const opening = {
      createChannel: () => {
        dead.isClosed = true;
        model = undefined;
        subscription.disconnected();
        return Promise.resolve(dead);
      },
    } as unknown as ChannelModel;
    model = opening;
    subscription = new Subscription('q', () => model, { received: () => undefined, lost: () => undefined, repair: () => undefined });
    subscription.start(10);
    await eventually('the dead channel is noticed', () => dead.isClosed && dead.listenerCount('close') > 0);
    model = modelOf(live);
    subscription.connected();
    await eventually('the live channel consumes', () => live.consumed.length > 0);
    expect(live.consumed).toEqual(['q']);
  });
});
