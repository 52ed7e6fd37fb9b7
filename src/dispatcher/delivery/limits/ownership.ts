import { timeOfId } from '../../../core/ids';
import { ownerOf } from './rendezvous';

/** Between two beats of a process. */
export const BEAT_MS = 1_000;
/** How long what a beat told may be acted on, counted from before it was sent. Then a process owns nothing until its next beat. */
export const TRUST_MS = 4_000;
/** Without a beat for so long, a process is given up by the others. More than TRUST_MS: it has stopped by then. */
export const GIVEN_UP_MS = 5_000;
/** From joining to owning. More than TRUST_MS: by then every other process has seen it or trusts nothing any more. */
export const GRACE_MS = 5_000;
/** Without a beat for so long, a process is dead: what it had in hand is taken from it. */
export const DEAD_MS = 10_000;
/** A killed process's row is kept for so long. A boot that has no row and is older is dead as well. */
export const FORGOTTEN_MS = 60_000;
/** After an outage every process looks dead, until it has had so long to beat and to write what it has. */
const SETTLING_MS = 3_000;

/** A row of another process, relative to the database's clock at the moment of the beat. */
export interface SeenProcess {
  bootId: string;
  /** Since it was last seen. */
  ageMs: number;
  /** Until it owns its share, negative when it does; null: it is shutting down. */
  activeInMs: number | null;
}

/** When a beat was sent and answered, by a clock of this process that is never set. */
export interface BeatTimes {
  sentAt: number;
  answeredAt: number;
}

export interface Epoch {
  name: string;
  since: number;
}

const NOBODYS: Epoch = { name: '', since: Infinity };

/**
 * Who owns a key, as far as this process may say. At no moment do two processes both own one: each stops before anybody else can
 * begin (see docs/adr/0012). In between nobody may own it for some seconds.
 */
export class Ownership {
  private trustedUntil = -Infinity;
  private activeAt = Infinity;
  /** Since when it has beaten without a gap. */
  private steadySince = Infinity;
  private others: { bootId: string; activeAt: number }[] = [];
  /** Counts what the list of members does not show: that somebody was there in between. */
  private changes = 0;
  private changedAt = -Infinity;
  private ages: ReadonlyMap<string, number> = new Map();

  constructor(private readonly bootId: string) {}

  /** Its row was written anew. @param isAlone nobody else is there who could own anything. */
  joined({ sentAt, answeredAt }: BeatTimes, isAlone: boolean): void {
    this.activeAt = isAlone ? answeredAt : answeredAt + GRACE_MS;
    this.steadySince = answeredAt;
    this.trustedUntil = sentAt + TRUST_MS;
    this.changed(answeredAt);
  }

  /**
   * Its row was renewed, and others' were read.
   * @returns false when that came so late that others may have begun to own its share: it must join anew.
   */
  renewed({ sentAt, answeredAt }: BeatTimes, others: readonly SeenProcess[]): boolean {
    if (answeredAt >= this.trustedUntil) {
      this.leave();
      return false;
    }
    this.trustedUntil = sentAt + TRUST_MS;
    const before = this.membersAt(answeredAt);
    this.others = others.flatMap(({ bootId, ageMs, activeInMs }) =>
      ageMs <= GIVEN_UP_MS && activeInMs !== null ? [{ bootId, activeAt: sentAt + activeInMs }] : [],
    );
    const members = new Set(this.membersAt(answeredAt));
    if (before.some((bootId) => !members.has(bootId))) this.changed(answeredAt);
    this.ages = new Map(others.map(({ bootId, ageMs }) => [bootId, ageMs]));
    return true;
  }

  leave(): void {
    this.activeAt = Infinity;
    this.steadySince = Infinity;
    this.trustedUntil = -Infinity;
  }

  owns(key: string, now: number): boolean {
    if (now < this.activeAt || now >= this.trustedUntil) return false;
    return ownerOf(key, this.membersAt(now)) === this.bootId;
  }

  /** Who owns shares, and since when: its name changes when any key may have changed hands. */
  epochAt(now: number): Epoch {
    if (now < this.activeAt || now >= this.trustedUntil) return NOBODYS;
    const since = this.others.reduce((latest, { activeAt }) => (activeAt <= now ? Math.max(latest, activeAt) : latest), this.changedAt);
    return { name: `${this.changes} ${this.membersAt(now).toSorted().join()}`, since: Math.max(since, this.activeAt) };
  }

  /** False only for one that is surely dead. */
  isAlive(bootId: string, now: number, databaseNowMs: number): boolean {
    if (bootId === this.bootId || !this.canJudge(now)) return true;
    const ageMs = this.ages.get(bootId) ?? Math.max(0, databaseNowMs - timeOfId(bootId) - FORGOTTEN_MS + DEAD_MS);
    return ageMs <= DEAD_MS;
  }

  /** Whether it has been in touch for long enough to say that others are not. */
  canJudge(now: number): boolean {
    return now < this.trustedUntil && now >= this.steadySince + SETTLING_MS;
  }

  private changed(now: number): void {
    this.changes += 1;
    this.changedAt = now;
  }

  private membersAt(now: number): string[] {
    const active = this.others.filter((other) => now >= other.activeAt).map((other) => other.bootId);
    return [this.bootId, ...active];
  }
}
