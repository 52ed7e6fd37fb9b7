import { type KeptRefusal, withoutBody } from './refusal';

export interface BufferLimits {
  rows: number;
  rowsPerSource: number;
  bytes: number;
  bytesPerSource: number;
}

/** What one source has in the buffer. */
interface Lane {
  rows: KeptRefusal[];
  bytes: number;
}

/**
 * Refusals that wait to be written, newest kept: under a flood, or while the storage is away, the oldest of the source that has
 * most of them fall out and are counted. Past a byte budget they are kept without their bodies.
 */
export class RefusalBuffer {
  private readonly lanes = new Map<string, Lane>();
  private bytes = 0;
  private rows = 0;

  constructor(private readonly limits: BufferLimits) {}

  get size(): number {
    return this.rows;
  }

  /** @returns How many fell out. */
  add(kept: KeptRefusal): number {
    const lane = this.laneOf(kept.refusal.source);
    const bytes = kept.body?.length ?? 0;
    const fits = lane.bytes + bytes <= this.limits.bytesPerSource && this.bytes + bytes <= this.limits.bytes;
    lane.rows.push(fits ? kept : withoutBody(kept));
    this.rows++;
    if (fits) this.weigh(lane, bytes);
    return this.trim(lane);
  }

  /** Empties the buffer; oldest first. */
  take(): KeptRefusal[] {
    const all = [...this.lanes.values()].flatMap(({ rows }) => rows);
    this.lanes.clear();
    this.bytes = 0;
    this.rows = 0;
    return all.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Puts back what could not be written, before what came meanwhile. @returns How many fell out. */
  restore(taken: readonly KeptRefusal[]): number {
    const later = this.take();
    return [...taken, ...later].reduce((dropped, kept) => dropped + this.add(kept), 0);
  }

  private laneOf(source: string): Lane {
    const present = this.lanes.get(source);
    if (present !== undefined) return present;
    const lane: Lane = { rows: [], bytes: 0 };
    this.lanes.set(source, lane);
    return lane;
  }

  private trim(lane: Lane): number {
    // In steps, so that a flood does not move a whole array at each row.
    const step = Math.max(1, Math.ceil(this.limits.rowsPerSource / 10));
    let dropped = lane.rows.length >= this.limits.rowsPerSource + step ? this.drop(lane, lane.rows.length - this.limits.rowsPerSource) : 0;
    if (this.rows >= this.limits.rows + step) dropped += this.drop(this.longest(), this.rows - this.limits.rows);
    return dropped;
  }

  private longest(): Lane {
    return [...this.lanes.values()].reduce((most, lane) => (lane.rows.length > most.rows.length ? lane : most));
  }

  private drop(lane: Lane, count: number): number {
    const gone = lane.rows.splice(0, count);
    this.rows -= gone.length;
    this.weigh(
      lane,
      gone.reduce((sum, { body }) => sum - (body?.length ?? 0), 0),
    );
    return gone.length;
  }

  private weigh(lane: Lane, bytes: number): void {
    lane.bytes += bytes;
    this.bytes += bytes;
  }
}
