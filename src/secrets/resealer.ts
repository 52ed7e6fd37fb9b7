import { Injectable } from '@nestjs/common';
import type { Selectable, Transaction } from 'kysely';
import { sql } from 'kysely';
import { GatewayError } from '../core/errors';
import type { EndpointsTable, Schema } from '../storage/schema';
import { type Queryable, Storage } from '../storage/storage';
import { KeysInUse } from './keys-in-use';
import { SEALED, SecretBox } from './secret-box';
import { SEALED_COLUMNS, type SealedColumns, resealColumns } from './sealed-columns';

/** Endpoints of one transaction: few, so that nobody waits long for one of them. */
const SLICE = 200;

export interface Resealed {
  /** Endpoints that were sealed anew. */
  sealed: number;
  /** Ids of endpoints that no key opens; they stay as they are. */
  unreadable: string[];
}

type Row = Pick<Selectable<EndpointsTable>, 'id' | keyof SealedColumns>;

/** Seals endpoints with the first key, in slices, while everything goes on. Interrupted, it goes on where it was. */
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
      const [left] = await this.slice(trx, `${SEALED}${this.box.keyId}:`, '', 1);
      if (left !== undefined) return false;
      await this.keys.retireOthers(trx);
      return true;
    });
  }

  private async sealThoseWithout(prefix: string, onSlice: (sealed: number) => void = () => undefined): Promise<Resealed> {
    const done: Resealed = { sealed: 0, unreadable: [] };
    let after = '';
    for (;;) {
      const ids = (await this.slice(this.storage.db, prefix, after, SLICE)).map((row) => row.id);
      const last = ids.at(-1);
      if (last === undefined) return done;
      const { sealed, unreadable } = await this.storage.transaction((trx) => this.sealRows(trx, ids));
      done.sealed += sealed;
      done.unreadable.push(...unreadable);
      onSlice(done.sealed);
      after = last;
    }
  }

  /** Only in writing is a row read for good: it may have changed since it was found. */
  private async sealRows(trx: Transaction<Schema>, ids: readonly string[]): Promise<Resealed> {
    const rows = await trx
      .selectFrom('endpoints')
      .select(['id', ...SEALED_COLUMNS])
      .where('id', 'in', ids)
      .orderBy('id')
      .$if(this.storage.engine === 'postgres', (query) => query.forUpdate())
      .execute();
    await this.keys.use(trx);
    const done: Resealed = { sealed: 0, unreadable: [] };
    for (const row of rows) {
      const columns = this.resealed(row);
      if (columns === undefined) {
        done.unreadable.push(row.id);
        continue;
      }
      await trx.updateTable('endpoints').set(columns).where('id', '=', row.id).execute();
      done.sealed += 1;
    }
    return done;
  }

  private resealed({ id, ...columns }: Row): SealedColumns | undefined {
    try {
      return resealColumns(this.box, id, columns);
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'secret_unreadable') return undefined;
      throw error;
    }
  }

  private slice(on: Queryable, prefix: string, after: string, limit: number): Promise<Row[]> {
    const isOther = SEALED_COLUMNS.map(
      (column) => sql<boolean>`(${sql.ref(column)} not like ${`${prefix}%`} and ${sql.ref(column)} <> '{}')`,
    );
    return on
      .selectFrom('endpoints')
      .select(['id', ...SEALED_COLUMNS])
      .where(sql<boolean>`(${sql.join(isOther, sql` or `)})`)
      .$if(after !== '', (query) => query.where('id', '>', after))
      .orderBy('id')
      .limit(limit)
      .execute();
  }
}
