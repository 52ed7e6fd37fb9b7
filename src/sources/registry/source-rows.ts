import type { Selectable } from 'kysely';
import { setImmediate as turn } from 'node:timers/promises';
import { anyOf } from '../../dispatcher/any-of';
import type { SourcesTable } from '../../storage/schema';
import type { Engine, Queryable } from '../../storage/storage';

type Row = Selectable<SourcesTable>;

export interface SourceRows {
  version: number;
  rows: readonly Row[];
  /** Ids of which the rows are all that is left; undefined: the rows are all there are. */
  changedIds: readonly string[] | undefined;
}

/** Rows read at once, so that the embedded store does not hold up everything else. */
const PAGE_ROWS = 1_000;
/** More than this many changed: all is read anew. */
const MAX_CHANGES = 1_000;

/** Reads what has changed since a version; everything when there is none. @param db shows one moment. */
export async function readSources(db: Queryable, engine: Engine, since: number | undefined): Promise<SourceRows> {
  const { version } = await db.selectFrom('registry_version').select('version').where('id', '=', 1).executeTakeFirstOrThrow();
  if (since === version) return { version, rows: [], changedIds: [] };
  if (since === undefined) return { version, rows: await readAll(db), changedIds: undefined };
  const changed = await db
    .selectFrom('registry_changes')
    .select('key')
    .where('version', '>', since)
    .where('kind', '=', 'source')
    .limit(MAX_CHANGES + 1)
    .execute();
  if (changed.length > MAX_CHANGES) return { version, rows: await readAll(db), changedIds: undefined };
  const changedIds = changed.map(({ key }) => key);
  if (changedIds.length === 0) return { version, rows: [], changedIds };
  const rows = await db
    .selectFrom('sources')
    .selectAll()
    .where(anyOf(engine, 'id', 'uuid', changedIds))
    .execute();
  return { version, rows, changedIds };
}

async function readAll(db: Queryable): Promise<Row[]> {
  const rows: Row[] = [];
  for (;;) {
    const last = rows.at(-1);
    const page = await db
      .selectFrom('sources')
      .selectAll()
      .$if(last !== undefined, (query) => query.where('id', '>', last?.id ?? ''))
      .orderBy('id')
      .limit(PAGE_ROWS)
      .execute();
    for (const row of page) rows.push(row);
    if (page.length < PAGE_ROWS) return rows;
    await turn();
  }
}
