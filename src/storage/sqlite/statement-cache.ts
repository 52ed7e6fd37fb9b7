import type { DatabaseSyncInstance, StatementSyncInstance } from '@photostructure/sqlite';

export interface CachedStatement {
  statement: StatementSyncInstance;
  returnsRows: boolean;
}

/** The least recently used are dropped beyond this: `in (…)` lists of every length have a text each. */
const MAX_STATEMENTS = 300;

/** Prepared statements of one connection by their text. */
export class StatementCache {
  private readonly statements = new Map<string, CachedStatement>();

  constructor(private readonly database: DatabaseSyncInstance) {}

  get(sql: string): CachedStatement {
    let cached = this.statements.get(sql);
    if (cached) {
      this.statements.delete(sql);
    } else {
      const statement = this.database.prepare(sql);
      cached = { statement, returnsRows: statement.columns().length > 0 };
      if (this.statements.size >= MAX_STATEMENTS) this.dropOldest();
    }
    this.statements.set(sql, cached);
    return cached;
  }

  clear(): void {
    this.statements.clear();
  }

  private dropOldest(): void {
    for (const sql of this.statements.keys()) {
      this.statements.delete(sql);
      return;
    }
  }
}
