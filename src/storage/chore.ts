import { Logger } from '@nestjs/common';
import { type RawBuilder, sql } from 'kysely';
import { isOutage } from '../core/errors';
import { BOOT_ID } from '../core/ids';
import type { Engine, Storage } from './storage';

export interface ChoreSpec {
  /** Of its row; never changed once released. */
  name: string;
  /** Between the end of one turn and the next, whichever process has it; milliseconds. */
  everyMs: number;
}

/** A process that dies during its turn keeps the others from it for so long. */
const HOLD_MS = 30_000;

/**
 * Work that one process at a time does, every so often. Its row says who has the turn, when the next one is and what the last one
 * left for it (`state`, kept as JSON). The work is done again after a crash, so it must bear being repeated.
 */
export class Chore<S> {
  private readonly logger = new Logger(Chore.name);
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private isStopped = true;
  private isKnown = false;

  constructor(
    private readonly storage: Storage,
    private readonly spec: ChoreSpec,
    private readonly work: (state: S | undefined, isStopped: () => boolean) => Promise<S>,
  ) {}

  start(): void {
    this.isStopped = false;
    this.schedule();
  }

  /** Resolves when no turn is under way. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** Takes a turn now, though it may not be time for one, unless somebody has it or this process has not started. Never throws. */
  wake(): Promise<void> {
    if (this.isStopped) return Promise.resolve();
    return this.next(true);
  }

  /** Takes a turn if it is time for one and nobody has it. @returns whether it did. */
  async turn(isEarly = false): Promise<boolean> {
    const taken = await this.take(isEarly);
    if (!taken) return false;
    const renewal = setInterval(() => void this.hold().catch(() => undefined), HOLD_MS / 3);
    let state = taken.state;
    try {
      state = await this.work(state, () => this.isStopped);
    } finally {
      clearInterval(renewal);
      await this.finish(state);
    }
    return true;
  }

  /** What the last turn left; undefined before the first. */
  state(): Promise<S | undefined> {
    return readChoreState<S>(this.storage, this.spec.name);
  }

  private schedule(): void {
    if (this.isStopped) return;
    this.timer = setTimeout(() => void this.next(false).then(() => this.schedule()), this.spec.everyMs).unref();
  }

  /** After the one under way. */
  private next(isEarly: boolean): Promise<void> {
    const turn = this.running.then(() => this.turnQuietly(isEarly));
    this.running = turn;
    return turn;
  }

  private async turnQuietly(isEarly: boolean): Promise<void> {
    if (this.isStopped) return;
    try {
      await this.turn(isEarly);
    } catch (error) {
      if (isOutage(error)) this.logger.debug(`${this.spec.name} waits for the storage to be back`);
      else this.logger.error(`${this.spec.name} failed`, error instanceof Error ? error.stack : String(error));
    }
  }

  private async take(isEarly: boolean): Promise<{ state: S | undefined } | undefined> {
    const { db, engine } = this.storage;
    const { name, everyMs } = this.spec;
    if (!this.isKnown) {
      await db
        .insertInto('chores')
        .values({ name, held_by: null, held_until: null, next_at: 0, state: null })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      this.isKnown = true;
    }
    const now = nowMs(engine);
    // A next turn further away than turns are apart was set before the clock went back.
    const { rows } = await sql<{ state: string | null }>`
      update chores set held_by = ${BOOT_ID}, held_until = ${now} + ${sql.lit(HOLD_MS)}
      where name = ${name} and (${isEarly ? sql`1 = 1` : sql`next_at <= ${now} or next_at > ${now} + ${sql.lit(everyMs)}`})
        and (held_until is null or held_until < ${now} or held_until > ${now} + ${sql.lit(HOLD_MS)})
      returning state`.execute(db);
    const [row] = rows;
    return row && { state: row.state === null ? undefined : (JSON.parse(row.state) as S) };
  }

  private async hold(): Promise<void> {
    const now = nowMs(this.storage.engine);
    await sql`update chores set held_until = ${now} + ${sql.lit(HOLD_MS)}
      where name = ${this.spec.name} and held_by = ${BOOT_ID}`.execute(this.storage.db);
  }

  private async finish(state: S | undefined): Promise<void> {
    await sql`
      update chores set held_by = null, held_until = null, next_at = ${nowMs(this.storage.engine)} + ${sql.lit(this.spec.everyMs)},
        state = ${state === undefined ? null : JSON.stringify(state)}
      where name = ${this.spec.name} and held_by = ${BOOT_ID}`.execute(this.storage.db);
  }
}

/** What a chore's last turn left, whichever process had it. */
export async function readChoreState<S>(storage: Storage, name: string): Promise<S | undefined> {
  const row = await storage.db.selectFrom('chores').select('state').where('name', '=', name).executeTakeFirst();
  return row?.state == null ? undefined : (JSON.parse(row.state) as S);
}

/** By the database's clock where it is shared: processes' clocks differ. */
const nowMs = (engine: Engine): RawBuilder<number> =>
  engine === 'postgres' ? sql`(extract(epoch from clock_timestamp()) * 1000)::bigint` : sql`${sql.lit(Date.now())}`;
