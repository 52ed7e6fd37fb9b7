import type { RefusalRow } from './refusal';

/**
 * Rows that wait to be written, newest kept: under a flood, or while the storage is away, the oldest fall out and are counted.
 * Past the byte budget rows are kept without their bodies.
 */
export class RefusalBuffer {
  private rows: RefusalRow[] = [];
  private bytes = 0;

  constructor(
    private readonly maxRows: number,
    private readonly maxBytes: number,
  ) {}

  get size(): number {
    return this.rows.length;
  }

  /** @returns How many rows fell out. */
  add(row: RefusalRow): number {
    const bytes = row.body?.length ?? 0;
    const fits = this.bytes + bytes <= this.maxBytes;
    if (fits) this.bytes += bytes;
    this.rows.push(fits ? row : { ...row, body: null });
    return this.trim();
  }

  /** Empties the buffer. */
  take(): RefusalRow[] {
    const { rows } = this;
    this.rows = [];
    this.bytes = 0;
    return rows;
  }

  /** Puts back what could not be written, before what came meanwhile. @returns How many rows fell out. */
  restore(rows: readonly RefusalRow[]): number {
    this.rows = [...rows, ...this.rows];
    this.bytes = this.rows.reduce((sum, row) => sum + (row.body?.length ?? 0), 0);
    return this.trim();
  }

  private trim(): number {
    const excess = Math.max(0, this.rows.length - this.maxRows);
    if (excess === 0) return 0;
    // In steps, so that a flood does not move the whole array at each row.
    if (excess < this.maxRows / 10) return 0;
    for (const row of this.rows.splice(0, excess)) this.bytes -= row.body?.length ?? 0;
    return excess;
  }
}
