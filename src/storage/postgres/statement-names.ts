/** A statement is worth keeping prepared once it was met this often. */
const WORTH_PREPARING = 3;
/** Each name takes memory in every server process. */
const MAX_NAMES = 200;
const MAX_COUNTED = 1_000;
/** Long texts are lists of values, hardly met twice. */
const MAX_LENGTH = 10_000;

/** Gives the statements that are met again and again a name, under which the server keeps them parsed and planned. */
export class StatementNames {
  private readonly names = new Map<string, string>();
  private counts = new Map<string, number>();

  nameOf(sql: string): string | undefined {
    const name = this.names.get(sql);
    if (name !== undefined || this.names.size >= MAX_NAMES || sql.length > MAX_LENGTH) return name;
    const count = (this.counts.get(sql) ?? 0) + 1;
    if (count < WORTH_PREPARING) {
      if (this.counts.size >= MAX_COUNTED) this.counts = new Map();
      this.counts.set(sql, count);
      return undefined;
    }
    this.counts.delete(sql);
    const newName = `hookline_${this.names.size + 1}`;
    this.names.set(sql, newName);
    return newName;
  }
}
