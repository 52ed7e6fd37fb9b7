import { Injectable } from '@nestjs/common';
import { type Transaction, sql } from 'kysely';
import type { PublishedOutcome } from '../../core/hook-event';
import type { Schema } from '../../storage/schema';
import { Storage } from '../../storage/storage';
import { anyOf } from '../any-of';

/** How long the same key gets the same answer. */
export const REMEMBERED_MS = 86_400_000;

/** One use of an Idempotency-Key. */
export interface KeyUse {
  /** The account of the API key; empty for admin keys. */
  scope: string;
  key: string;
  /** SHA-256, hex, of the route and the body. */
  bodyHash: string;
}

export interface EarlierUse {
  bodyHash: string;
  outcomes: PublishedOutcome[];
}

/** Another transaction has used one of the keys since they were looked up. */
export class KeyTakenError extends Error {
  override readonly name = 'KeyTakenError';
}

export const nameOf = (use: Pick<KeyUse, 'scope' | 'key'>): string => `${use.scope}\n${use.key}`;

@Injectable()
export class IdempotencyRepository {
  constructor(private readonly storage: Storage) {}

  /** Uses of the last 24 hours, by nameOf. */
  async find(uses: readonly KeyUse[], nowMs: number): Promise<Map<string, EarlierUse>> {
    const found = new Map<string, EarlierUse>();
    if (uses.length === 0) return found;
    const rows = await this.storage.db
      .selectFrom('idempotency_keys')
      .selectAll()
      .where(anyOf(this.storage.engine, 'account_id', 'text', [...new Set(uses.map((use) => use.scope))]))
      .where(anyOf(this.storage.engine, 'key', 'text', [...new Set(uses.map((use) => use.key))]))
      .where('created_at', '>', nowMs - REMEMBERED_MS)
      .execute();
    for (const row of rows) {
      const outcomes = JSON.parse(row.response) as PublishedOutcome[];
      found.set(nameOf({ scope: row.account_id, key: row.key }), { bodyHash: row.body_hash, outcomes });
    }
    return found;
  }

  /** Different keys only. @throws KeyTakenError; the transaction must not commit then. */
  async insert(
    trx: Transaction<Schema>,
    uses: readonly { use: KeyUse; outcomes: readonly PublishedOutcome[] }[],
    nowMs: number,
  ): Promise<void> {
    if (uses.length === 0) return;
    // In order, so that two transactions that share keys wait for each other in line.
    const rows = [...uses]
      .sort((a, b) => (nameOf(a.use) < nameOf(b.use) ? -1 : 1))
      .map(({ use, outcomes }) => ({
        account_id: use.scope,
        key: use.key,
        body_hash: use.bodyHash,
        response: JSON.stringify(outcomes),
        created_at: nowMs,
      }));
    const inserted = await trx
      .insertInto('idempotency_keys')
      .values(rows)
      .onConflict((conflict) =>
        conflict
          .columns(['account_id', 'key'])
          .doUpdateSet((row) => ({
            body_hash: row.ref('excluded.body_hash'),
            response: row.ref('excluded.response'),
            created_at: row.ref('excluded.created_at'),
          }))
          // Only over what is forgotten.
          .where('idempotency_keys.created_at', '<=', nowMs - REMEMBERED_MS),
      )
      .returning('key')
      .execute();
    if (inserted.length < rows.length) throw new KeyTakenError();
  }

  /** Deletes at most `limit` keys that are forgotten; returns how many. */
  async deleteForgotten(nowMs: number, limit: number): Promise<number> {
    const { numAffectedRows } = await sql`
      delete from idempotency_keys where (account_id, key) in (
        select account_id, key from idempotency_keys where created_at <= ${nowMs - REMEMBERED_MS} limit ${limit}
      )`.execute(this.storage.db);
    return Number(numAffectedRows ?? 0);
  }
}
