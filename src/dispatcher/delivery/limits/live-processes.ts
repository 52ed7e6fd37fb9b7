import { Injectable, Logger } from '@nestjs/common';
import { isOutage } from '../../../core/errors';
import { BOOT_ID } from '../../../core/ids';
import { Storage } from '../../../storage/storage';
import { BEAT_MS, type Epoch, Ownership } from './ownership';
import { ProcessTable } from './process-table';

/** Who was there before the only process ended with it. */
const ONLY: Epoch = { name: 'only', since: -Infinity };

/**
 * Which processes are at work on the same database, and what belongs to which of them. On SQLite there is one, which owns everything.
 * While the database is away nobody owns anything for longer than a few seconds.
 */
@Injectable()
export class LiveProcesses {
  private readonly logger = new Logger(LiveProcesses.name);
  private readonly table: ProcessTable | undefined;
  private readonly ownership = new Ownership(BOOT_ID);
  private state: 'new' | 'joined' | 'left' | 'removed' = 'new';
  private timer: NodeJS.Timeout | undefined;
  private beating: Promise<void> = Promise.resolve();
  private hasJoined = false;
  /** The database's clock minus this process's. */
  private offsetMs = 0;

  constructor(storage: Storage) {
    this.table = storage.engine === 'postgres' ? new ProcessTable(storage, BOOT_ID) : undefined;
  }

  /** Resolves after the first beat, whether it came through or not. */
  async start(): Promise<void> {
    this.state = 'joined';
    if (this.table) await this.beat(this.table);
  }

  /** True while this process, and no other one, may do what the key stands for. */
  isMine(key: string): boolean {
    if (this.state !== 'joined') return false;
    return this.table === undefined || this.ownership.owns(key, performance.now());
  }

  /** False only when the process of that boot is surely dead. */
  isAlive(bootId: string): boolean {
    return this.table === undefined ? bootId === BOOT_ID : this.ownership.isAlive(bootId, performance.now(), this.databaseNowMs);
  }

  /** Whether this process has been in touch for long enough to call others dead, or their leases expired. Never during an outage. */
  get canJudge(): boolean {
    return this.table === undefined || this.ownership.canJudge(performance.now());
  }

  /** Has another name when anything may have changed hands. */
  get epoch(): Epoch {
    return this.table === undefined ? ONLY : this.ownership.epochAt(performance.now());
  }

  /** By the database's clock, in milliseconds since 1970. */
  get databaseNowMs(): number {
    return Date.now() + this.offsetMs;
  }

  /** From now on it owns nothing, and others may; what it has in hand is still its own. */
  async leave(): Promise<void> {
    this.state = 'left';
    this.ownership.leave();
    await this.beating;
    await this.tell((table) => table.leave());
  }

  async stop(): Promise<void> {
    this.state = 'removed';
    clearTimeout(this.timer);
    await this.beating;
    await this.tell((table) => table.remove());
  }

  private async tell(what: (table: ProcessTable) => Promise<void>): Promise<void> {
    try {
      if (this.table) await what(this.table);
    } catch (error) {
      this.logger.debug(`Other processes will notice by themselves that this one ends: ${(error as Error).message}`);
    }
  }

  private beat(table: ProcessTable): Promise<void> {
    const startedAt = performance.now();
    this.beating = this.renew(table)
      .catch((error: unknown) => {
        if (isOutage(error)) this.logger.debug('Other processes cannot be seen while the storage is away');
        else this.logger.error('Other processes cannot be seen', (error as Error).stack);
      })
      .finally(() => {
        if (this.state === 'removed') return;
        this.timer = setTimeout(() => void this.beat(table), Math.max(0, startedAt + BEAT_MS - performance.now()));
      });
    return this.beating;
  }

  private async renew(table: ProcessTable): Promise<void> {
    if (!this.hasJoined) {
      if (this.state === 'joined') await this.join(table);
      return;
    }
    const sentAt = performance.now();
    const beat = await table.beat();
    const answeredAt = performance.now();
    if (this.state !== 'joined') return;
    if (beat) this.offsetMs = Math.round(beat.nowMs - (Date.now() - (answeredAt - sentAt) / 2));
    if (beat && this.ownership.renewed({ sentAt, answeredAt }, beat.others)) return;
    this.ownership.leave();
    this.hasJoined = false;
    this.logger.warn('This process was not heard of in time; it joins the others anew');
    await this.join(table);
  }

  private async join(table: ProcessTable): Promise<void> {
    const sentAt = performance.now();
    const isAlone = await table.join();
    if (this.state === 'joined') this.ownership.joined({ sentAt, answeredAt: performance.now() }, isAlone);
    this.hasJoined = true;
    await this.renew(table);
  }
}
