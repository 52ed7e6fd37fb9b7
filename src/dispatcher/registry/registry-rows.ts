import type { Selectable } from 'kysely';
import { setImmediate as turn } from 'node:timers/promises';
import type { AccountIdentitiesTable, EndpointsTable, FiltersTable } from '../../storage/schema';
import type { Engine, Queryable } from '../../storage/storage';
import { anyOf } from '../any-of';
import type { Gone } from './snapshot';

/** What dispatch has to know of an identity: nothing of its credentials. */
export type MappedIdentity = Omit<Selectable<AccountIdentitiesTable>, 'credentials' | 'credentials_at'>;

const MAPPED = ['channel', 'external_id', 'account_id', 'created_at'] as const satisfies (keyof MappedIdentity)[];

export interface RegistryRows {
  endpoints: readonly Selectable<EndpointsTable>[];
  filters: readonly Selectable<FiltersTable>[];
  identities: readonly MappedIdentity[];
}

export interface Identity {
  channel: string;
  externalId: string;
}

export interface RegistryRead extends RegistryRows {
  version: number;
  /** What has gone since; undefined when the rows are all there are. */
  gone: Gone | undefined;
}

/** Rows read at once, so that the embedded store does not hold up everything else. */
export const PAGE_ROWS = 1_000;
/** More than this many changed: all is read anew. */
const MAX_CHANGES = 2_000;

/** Reads what has changed since a version; everything when there is none. @param db shows one moment. */
export async function readRegistry(db: Queryable, engine: Engine, since: number | undefined): Promise<RegistryRead> {
  const { version } = await db.selectFrom('registry_version').select('version').where('id', '=', 1).executeTakeFirstOrThrow();
  if (since === undefined) return { version, gone: undefined, ...(await readAll(db)) };
  const changed = await db
    .selectFrom('registry_changes')
    .select(['kind', 'key'])
    .where('version', '>', since)
    .limit(MAX_CHANGES + 1)
    .execute();
  if (changed.length > MAX_CHANGES) return { version, gone: undefined, ...(await readAll(db)) };
  const keysOf = (kind: string): string[] => changed.filter((change) => change.kind === kind).map((change) => change.key);
  const ids = { endpoints: keysOf('endpoint'), filters: keysOf('filter') };
  const identities = keysOf('identity').map((key) => identityOf(key));
  const rows = {
    endpoints: await byId(db, engine, 'endpoints', ids.endpoints),
    filters: await byId(db, engine, 'filters', ids.filters),
    identities: (
      await Promise.all([...new Set(identities.map(({ channel }) => channel))].map((channel) => ofChannel(db, engine, channel, identities)))
    ).flat(),
  };
  const found = {
    endpoints: new Set(rows.endpoints.map((row) => row.id)),
    filters: new Set(rows.filters.map((row) => row.id)),
    identities: new Set(rows.identities.map((row) => JSON.stringify([row.channel, row.external_id]))),
  };
  const gone: Gone = {
    endpoints: ids.endpoints.filter((id) => !found.endpoints.has(id)),
    filters: ids.filters.filter((id) => !found.filters.has(id)),
    identities: identities.filter(({ channel, externalId }) => !found.identities.has(JSON.stringify([channel, externalId]))),
  };
  return { version, gone, ...rows };
}

async function readAll(db: Queryable): Promise<RegistryRows> {
  const endpoints = await pages<Selectable<EndpointsTable>>((after, limit) =>
    db
      .selectFrom('endpoints')
      .selectAll()
      .$if(after !== undefined, (query) => query.where('id', '>', after?.id ?? ''))
      .orderBy('id')
      .limit(limit)
      .execute(),
  );
  const filters = await pages<Selectable<FiltersTable>>((after, limit) =>
    db
      .selectFrom('filters')
      .selectAll()
      .$if(after !== undefined, (query) => query.where('id', '>', after?.id ?? ''))
      .orderBy('id')
      .limit(limit)
      .execute(),
  );
  const identities = await pages<MappedIdentity>((after, limit) =>
    db
      .selectFrom('account_identities')
      .select(MAPPED)
      .$if(after !== undefined, (query) =>
        query.where((eb) => eb(eb.refTuple('channel', 'external_id'), '>', eb.tuple(after?.channel ?? '', after?.external_id ?? ''))),
      )
      .orderBy('channel')
      .orderBy('external_id')
      .limit(limit)
      .execute(),
  );
  return { endpoints, filters, identities };
}

async function pages<R>(read: (after: R | undefined, limit: number) => Promise<R[]>): Promise<R[]> {
  const rows: R[] = [];
  for (;;) {
    const page = await read(rows.at(-1), PAGE_ROWS);
    for (const row of page) rows.push(row);
    if (page.length < PAGE_ROWS) return rows;
    await turn();
  }
}

async function byId<T extends 'endpoints' | 'filters'>(db: Queryable, engine: Engine, table: T, ids: readonly string[]) {
  if (ids.length === 0) return [];
  return (await db
    .selectFrom(table as 'filters')
    .selectAll()
    .where(anyOf(engine, 'id', 'uuid', ids))
    .execute()) as unknown as RegistryRows[T][number][];
}

function ofChannel(db: Queryable, engine: Engine, channel: string, identities: readonly Identity[]) {
  const externalIds = identities.filter((identity) => identity.channel === channel).map((identity) => identity.externalId);
  return db
    .selectFrom('account_identities')
    .select(MAPPED)
    .where('channel', '=', channel)
    .where(anyOf(engine, 'external_id', 'text', externalIds))
    .execute();
}

/** As the triggers write it. */
function identityOf(key: string): Identity {
  const [channel, externalId] = JSON.parse(key) as [string, string];
  return { channel, externalId };
}
