import { Injectable, Logger } from '@nestjs/common';
import { Broker } from '../broker/broker';
import { recordDead } from '../channels/channel-consumer';
import { type Channel, Channels } from '../channels/channel';
import { isOutage } from '../core/errors';
import { DispatcherService } from '../dispatcher/dispatcher.service';
import { LedgerTally, type LedgerRow, recordDelta } from '../dispatcher/ledger-delta';
import { Storage } from '../storage/storage';
import { Repairs } from './repairs';

/** How long a difference must stay the same, with empty queues, until it is taken for one. */
const SETTLED_AFTER_MS = 60_000;

/** Of each source whose confirmed and dispatched requests differ while its queues are empty: by how much, and since when. */
export type DoorState = Record<string, { difference: number; since: number }>;

/**
 * Compares what the broker confirmed with what came out of it. A killed process loses the last second of its confirmed count, which
 * leaves fewer confirmed; a message that the broker itself gave up, or lost, leaves fewer dispatched.
 */
@Injectable()
export class DoorCheck {
  private readonly logger = new Logger(DoorCheck.name);

  constructor(
    private readonly channels: Channels,
    private readonly broker: Broker,
    private readonly storage: Storage,
    private readonly dispatcher: DispatcherService,
    private readonly repairs: Repairs,
  ) {}

  /** @returns what to give to the next check. */
  async check(rows: readonly LedgerRow[], before: DoorState, nowMs: number): Promise<DoorState> {
    const state: DoorState = {};
    const drained = new Map<Channel, Promise<boolean>>();
    const isDrained = (channel: Channel): Promise<boolean> => {
      const asked = drained.get(channel) ?? this.isDrained(channel);
      drained.set(channel, asked);
      return asked;
    };
    for (const { source, door_confirmed, door_dispatched } of rows) {
      const difference = door_confirmed - door_dispatched;
      const channel = this.channels.ofSource(source);
      if (difference === 0 || channel === undefined || !(await isDrained(channel))) continue;
      const known = before[source];
      const since = known?.difference === difference ? known.since : nowMs;
      if (nowMs - since < SETTLED_AFTER_MS || !(await this.repair(source, channel, difference))) state[source] = { difference, since };
    }
    return state;
  }

  private async isDrained(channel: Channel): Promise<boolean> {
    try {
      const depths = await Promise.all(channel.lanes.map(({ queue }) => this.broker.depth(queue)));
      return depths.every(({ messages }) => messages === 0);
    } catch (error) {
      if (!isOutage(error)) throw error;
      return false;
    }
  }

  private async repair(source: string, channel: Channel, difference: number): Promise<boolean> {
    try {
      // What is booked now changes the difference; what is left of it is looked at again.
      if (difference > 0 && (await this.bookDead(channel)) > 0) return true;
    } catch (error) {
      if (!isOutage(error)) throw error;
      return false;
    }
    const tally = new LedgerTally();
    tally.doorConfirmed(source, -difference);
    await this.storage.transaction((trx) => recordDelta(trx, tally));
    if (difference < 0) {
      this.repairs.made('door_uncounted', [source], -difference);
    } else {
      this.logger.error(
        `${difference} requests of ${source} were confirmed by the broker and never came out of it: ` +
          'was a queue purged or unbound, or the broker set back?',
      );
      this.repairs.missing(source, difference);
    }
    return true;
  }

  private async bookDead(channel: Channel): Promise<number> {
    const ids: string[] = [];
    for (const { queue } of channel.lanes) {
      await this.broker.findUntoldDead(queue, async (message) => {
        ids.push(await recordDead(this.dispatcher, channel, message));
      });
    }
    this.repairs.made('dead_unbooked', ids);
    return ids.length;
  }
}
