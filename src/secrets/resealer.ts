import { Injectable } from '@nestjs/common';
import { type RawBuilder, type Transaction, sql } from 'kysely';
import { GatewayError } from '../core/errors';
import type { Schema } from '../storage/schema';
import { type Queryable, Storage } from '../storage/storage';
import { KeysInUse } from './keys-in-use';
import { SEALED, SecretBox } from './secret-box';
import { NOTHING, SEALED_TABLES, type SealedTable, resealed } from './sealed-columns';

/** Rows of one transaction: few, so that nobody waits long for one of them. */
const SLICE = 200;

export interface Resealed {
  /** Rows (endpoints, identities, affinity sessions) that were sealed anew. */
  sealed: number;
  /** Those that no key opens, by id; they stay as they are. Sessions are deleted. */
  unreadable: string[];
}

type Row = Readonly<Record<string, string | null>> & { row_key: string };

/** Seals rows with the first key, in slices, while everything goes on. Interrupted, it goes on where it was. */
@Injectable()
export class Resealer {
  constructor(
    private readonly storage: Storage,
    private readonly box: SecretBox,
    private readonly keys: KeysInUse,
  ) {}

  /** Those that an older version has not sealed at all. */
  sealPlain(): Promise<Resealed> {
    return this.sealThoseWithout(SEALED);
  }

  /** Those that are sealed with another key, and those that are not sealed. @param onSlice Called with the sum so far. */
  sealAll(onSlice: (sealed: number) => void): Promise<Resealed> {
    return this.sealThoseWithout(`${SEALED}${this.box.keyId}:`, onSlice);
  }

  /** False while no gateway has started with the key that seals: what it seals, they could not open. */
  async isKeyKnown(): Promise<boolean> {
    return (await this.storage.transaction((trx) => this.keys.lock(trx))).includes(this.box.keyId);
  }

  /** Asks for no other key any more, unless one is still needed. @returns whether none is. */
  retireOtherKeys(): Promise<boolean> {
    return this.storage.transaction(async (trx) => {
      // Who seals meanwhile waits for this lock, or is waited for.
      await this.keys.lock(trx);
      for (const table of SEALED_TABLES) {
        const [left] = await this.slice(trx, table, `${SEALED}${this.box.keyId}:`, '', 1);
        if (left !== undefined) return false;
      }
      await this.keys.retireOthers(trx);
      return true;
    });
  }

  private async sealThoseWithout(prefix: string, onSlice: (sealed: number) => void = () => undefined): Promise<Resealed> {
    const done: Resealed = { sealed: 0, unreadable: [] };
    for (const table of SEALED_TABLES) {
      let after = '';
      for (;;) {
        const keys = await this.slice(this.storage.db, table, prefix, after, SLICE);
        const last = keys.at(-1);
        if (last === undefined) break;
        const { sealed, unreadable } = await this.storage.transaction((trx) => this.sealRows(trx, table, keys));
        done.sealed += sealed;
        done.unreadable.push(...unreadable);
        onSlice(done.sealed);
        after = last;
      }
    }
    return done;
  }

  /** Only in writing is a row read for good: it may have changed since it was found. */
  private async sealRows(trx: Transaction<Schema>, table: SealedTable, keys: readonly string[]): Promise<Resealed> {
    const { rows } = await sql<Row>`select ${table.key} as row_key, ${columnsOf(table)} from ${sql.table(table.name)}
      where ${table.key} in (${sql.join(keys)}) order by ${table.key}
      ${this.storage.engine === 'postgres' ? sql`for update` : sql``}`.execute(trx);
    await this.keys.use(trx);
    const done: Resealed = { sealed: 0, unreadable: [] };
    for (const row of rows) {
      const columns = this.resealed(table, row);
      if (columns === undefined) {
        if (table.isReplaceable) await remove(trx, table, row.row_key);
        else done.unreadable.push(row.row_key);
        continue;
      }
      await write(trx, table, row.row_key, columns);
      done.sealed += 1;
    }
    return done;
  }

  private resealed(table: SealedTable, row: Row): Record<string, string> | undefined {
    try {
      return resealed(this.box, table, row.row_key, row);
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'secret_unreadable') return undefined;
      throw error;
    }
  }

  /** Keys of rows with a column that does not begin so. */
  private async slice(on: Queryable, table: SealedTable, prefix: string, after: string, limit: number): Promise<string[]> {
    const isOther = table.columns.map((column) => sql`(${sql.ref(column)} not like ${`${prefix}%`} and ${sql.ref(column)} <> ${NOTHING})`);
    const isLater = after === '' ? sql`1 = 1` : sql`${table.key} > ${after}`;
    const { rows } = await sql<{ row_key: string }>`select ${table.key} as row_key from ${sql.table(table.name)}
      where (${sql.join(isOther, sql` or `)}) and ${isLater} order by ${table.key} limit ${sql.lit(limit)}`.execute(on);
    return rows.map((row) => row.row_key);
  }
}

const columnsOf = (table: SealedTable): RawBuilder<unknown> => sql.join(table.columns.map((column) => sql.ref(column)));

async function write(trx: Transaction<Schema>, table: SealedTable, key: string, columns: Record<string, string>): Promise<void> {
  if (Object.keys(columns).length === 0) return;
  const changes = Object.entries(columns).map(([column, text]) => sql`${sql.ref(column)} = ${text}`);
  await sql`update ${sql.table(table.name)} set ${sql.join(changes)} where ${table.key} = ${key}`.execute(trx);
}

async function remove(trx: Transaction<Schema>, table: SealedTable, key: string): Promise<void> {
  await sql`delete from ${sql.table(table.name)} where ${table.key} = ${key}`.execute(trx);
}
