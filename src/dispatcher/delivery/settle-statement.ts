import { CompiledQuery, type Transaction } from 'kysely';
import { BOOT_ID } from '../../core/ids';
import { bulkQuery } from '../../storage/bulk-query';
import { arrayParameter } from '../../storage/postgres/array-parameter';
import type { Schema } from '../../storage/schema';
import type { Engine } from '../../storage/storage';
import type { SettledColumns } from './outcome';

const MAX_FAN_OUT = 2_147_483_647;

/** By `id = any` PostgreSQL goes by the primary key, whatever it believes about the table's size. */
const ON_POSTGRES = `
  update deliveries d
  set status = s.status, attempt_count = s.made, next_attempt_at = s.next_attempt_at, leased_by = null, lease_until = null,
    reason = s.reason, dead_class = s.dead_class, settled_at = s.settled_at
  from unnest($1::uuid[], $2::int4[], $3::int4[], $4::text[], $5::int8[], $6::text[], $7::text[], $8::int8[])
    as s(id, expected, made, status, next_attempt_at, reason, dead_class, settled_at)
  where d.id = any($1::uuid[]) and d.id = s.id and d.attempt_count = s.expected and d.leased_by = $9 and d.fan_out <= $10
  returning d.id`;

const ON_SQLITE = `
  update deliveries
  set status = ?, attempt_count = ?, next_attempt_at = ?, leased_by = null, lease_until = null, reason = ?, dead_class = ?, settled_at = ?
  where id = ? and attempt_count = ? and leased_by = ? and fan_out <= ?`;

/**
 * Writes a group with one statement, fenced: a delivery that this boot lost meanwhile, or that was settled already, stays as it is.
 * @param mostFanOut those whose event has more deliveries stay as they are too.
 * @returns the ids of those that were written.
 */
export async function settle(
  trx: Transaction<Schema>,
  engine: Engine,
  rows: readonly SettledColumns[],
  mostFanOut = MAX_FAN_OUT,
): Promise<Set<string>> {
  if (engine === 'postgres') {
    const column = <K extends keyof SettledColumns>(key: K): SettledColumns[K][] => rows.map((row) => row[key]);
    const parameters = [
      arrayParameter('uuid', column('id')),
      arrayParameter('int4', column('expected')),
      arrayParameter('int4', column('made')),
      arrayParameter('text', column('status')),
      arrayParameter('int8', column('nextAttemptAt')),
      arrayParameter('text', column('reason')),
      arrayParameter('text', column('deadClass')),
      arrayParameter('int8', column('settledAt')),
      BOOT_ID,
      mostFanOut,
    ];
    const written = await trx.executeQuery<{ id: string }>(CompiledQuery.raw(ON_POSTGRES, parameters));
    return new Set(written.rows.map((row) => row.id));
  }
  const runs = rows.map((row) => [
    row.status,
    row.made,
    row.nextAttemptAt,
    row.reason,
    row.deadClass,
    row.settledAt,
    row.id,
    row.expected,
    BOOT_ID,
    mostFanOut,
  ]);
  const changes = (await trx.executeQuery(bulkQuery<number>(ON_SQLITE, runs))).rows;
  return new Set(rows.filter((_, index) => changes[index] === 1).map((row) => row.id));
}
