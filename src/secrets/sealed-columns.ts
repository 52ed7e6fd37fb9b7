import { type RawBuilder, sql } from 'kysely';
import type { SecretBox } from './secret-box';
import { SEALED } from './secret-box';

/** A table with sealed columns. */
export interface SealedTable {
  name: 'endpoints' | 'account_identities' | 'affinity_sessions' | 'sources' | 'token_webhooks' | 'requests';
  columns: readonly string[];
  /** A text that tells its rows apart, in SQL. */
  key: RawBuilder<string>;
  /** What no key opens is made anew by who needs it: such a row is deleted. */
  isReplaceable?: true;
}

/** The columns of an endpoint that are sealed. */
export interface SealedColumns {
  secret: string;
  previous_secret: string | null;
  auth: string | null;
  headers: string;
}

export const SEALED_COLUMNS = ['secret', 'previous_secret', 'auth', 'headers'] as const satisfies (keyof SealedColumns)[];

/** All that `npm run secrets:reencrypt` seals anew. */
export const SEALED_TABLES: readonly SealedTable[] = [
  { name: 'endpoints', columns: SEALED_COLUMNS, key: sql.ref<string>('id') },
  { name: 'account_identities', columns: ['credentials'], key: sql<string>`(channel || ' ' || external_id)` },
  { name: 'sources', columns: ['secrets', 'previous_secrets', 'token'], key: sql.ref<string>('id') },
  { name: 'affinity_sessions', columns: ['cookie'], key: sql.ref<string>('key'), isReplaceable: true },
  { name: 'requests', columns: ['original'], key: sql.ref<string>('id'), isReplaceable: true },
  { name: 'token_webhooks', columns: ['tokens'], key: sql.ref<string>('id') },
];

/** No headers are no secret. */
export const NOTHING = '{}';

export const sealColumn = (box: SecretBox, id: string, column: keyof SealedColumns, text: string): string =>
  text === NOTHING ? text : box.seal(text, contextOf('endpoints', column, id));

/** @throws GatewayError `secret_unreadable`. */
export const openColumn = (box: SecretBox, id: string, column: keyof SealedColumns, text: string): string =>
  box.open(text, contextOf('endpoints', column, id));

/** Where the credentials of an identity are sealed: in another row they do not open. */
export const credentialsContext = (channel: string, externalId: string): string =>
  contextOf('account_identities', 'credentials', `${channel} ${externalId}`);

/** Where the cookie of an affinity session is sealed. */
export const sessionContext = (key: string): string => contextOf('affinity_sessions', 'cookie', key);

/** Where something of a source is sealed. */
export const sourceContext = (id: string, column: 'secrets' | 'previous_secrets' | 'token'): string => contextOf('sources', column, id);

/** Where the tokens of a token webhook are sealed. */
export const webhookTokensContext = (id: string): string => contextOf('token_webhooks', 'tokens', id);

/** Where a refused request is sealed as it came. */
export const originalContext = (id: string): string => contextOf('requests', 'original', id);

/** Those columns of a row that the box's first key did not seal, sealed with it. @throws GatewayError `secret_unreadable`. */
export function resealed(
  box: SecretBox,
  table: SealedTable,
  key: string,
  row: Readonly<Record<string, string | null>>,
): Record<string, string> {
  const prefix = `${SEALED}${box.keyId}:`;
  const columns: Record<string, string> = {};
  for (const column of table.columns) {
    const text = row[column] ?? NOTHING;
    if (text === NOTHING || text.startsWith(prefix)) continue;
    const context = contextOf(table.name, column, key);
    columns[column] = box.seal(box.open(text, context), context);
  }
  return columns;
}

const contextOf = (table: string, column: string, key: string): string => `${table}.${column} of ${key}`;
