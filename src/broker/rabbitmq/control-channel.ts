import type { Channel, ChannelModel, Replies } from 'amqplib';
import { within } from './within';

const ANSWER_TIMEOUT_MS = 4_000;

/** For questions about queues: a missing queue closes the channel that asks, so they have one of their own. */
export class ControlChannel {
  private channel: Channel | undefined;
  private model: ChannelModel | undefined;
  private last: Promise<unknown> = Promise.resolve();

  /** @throws Error when there is no connection, no such queue, or no answer in time. */
  checkQueue(model: ChannelModel, queue: string): Promise<Replies.AssertQueue> {
    const answer = this.last.then(() => this.ask(model, queue));
    this.last = answer.catch(() => undefined);
    return answer;
  }

  private async ask(model: ChannelModel, queue: string): Promise<Replies.AssertQueue> {
    try {
      if (this.channel === undefined || this.model !== model) {
        this.channel = undefined;
        const channel = await within(ANSWER_TIMEOUT_MS, 'opening a channel', model.createChannel());
        channel.on('error', () => undefined); // the question rejects as well
        channel.on('close', () => {
          if (this.channel === channel) this.channel = undefined;
        });
        this.channel = channel;
        this.model = model;
      }
      return await within(ANSWER_TIMEOUT_MS, `asking for ${queue}`, this.channel.checkQueue(queue));
    } catch (error) {
      this.channel = undefined;
      throw error;
    }
  }
}
