import type { Selectable } from 'kysely';
import type { SecretBox } from '../../secrets/secret-box';
import { NOTHING, sourceContext } from '../../secrets/sealed-columns';
import type { SourcesTable } from '../../storage/schema';

/** What senders are answered once their request is stored. */
export interface SourceResponse {
  /** 200 to 299. */
  status: number;
  contentType: string;
  body: string;
}

/** Settings of a preset that are secret: `secrets`, a list, newest first; any other is a text. */
export type SecretSettings = Readonly<Record<string, string | readonly string[]>>;

/** A source: its row with the JSON columns parsed and what is sealed opened. */
export interface SourceRecord {
  id: string;
  accountId: string;
  name: string;
  /** Of its events. */
  application: string;
  enabled: boolean;
  /** `type`, and the preset's settings without its secrets. */
  verification: { type: string } & Readonly<Record<string, unknown>>;
  secrets: SecretSettings;
  /** Count beside `secrets.secrets` until `previousSecretsUntil` (ms since 1970). */
  previousSecrets: readonly string[];
  previousSecretsUntil: number | null;
  token: string;
  tokenHash: string;
  /** Lets in as well until `previousTokenUntil` (ms since 1970). */
  previousTokenHash: string | null;
  previousTokenUntil: number | null;
  eventTypeFrom: string | null;
  /** Null: what the platform expects. */
  response: SourceResponse | null;
  createdAt: number;
  updatedAt: number;
}

type Row = Selectable<SourcesTable>;
type Sealed = Pick<SourceRecord, 'secrets' | 'previousSecrets' | 'token'>;

export type PlainSource = Omit<SourceRecord, keyof Sealed>;

/** A source whose sealed part is opened when it is asked for: of a thousand sources few get something at once. */
export interface SealedSource extends PlainSource {
  /** @throws GatewayError `secret_unreadable`. */
  open(): SourceRecord;
}

export const newestSecret = ({ secrets }: SourceRecord): string | undefined => (secrets['secrets'] as readonly string[] | undefined)?.[0];

export function fromRow(row: Row, box: SecretBox): SealedSource {
  const plain = plainOf(row);
  const open = (): SourceRecord => ({
    ...plain,
    secrets: JSON.parse(opened(box, row, 'secrets') ?? NOTHING) as SecretSettings,
    previousSecrets: JSON.parse(opened(box, row, 'previous_secrets') ?? '[]') as string[],
    token: opened(box, row, 'token') ?? '',
  });
  return { ...plain, open };
}

const opened = (box: SecretBox, row: Row, column: 'secrets' | 'previous_secrets' | 'token'): string | undefined =>
  row[column] === null ? undefined : box.open(row[column], sourceContext(row.id, column));

const plainOf = (row: Row): PlainSource => ({
  id: row.id,
  accountId: row.account_id,
  name: row.name,
  application: row.application,
  enabled: row.enabled === 1,
  verification: JSON.parse(row.verification) as SourceRecord['verification'],
  previousSecretsUntil: row.previous_secrets_until,
  tokenHash: row.token_hash,
  previousTokenHash: row.previous_token_hash,
  previousTokenUntil: row.previous_token_until,
  eventTypeFrom: row.event_type_from,
  response: row.response === null ? null : (JSON.parse(row.response) as SourceResponse),
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

export function toRow(source: SourceRecord, box: SecretBox): SourcesTable {
  const { id, secrets, previousSecrets, response } = source;
  const secretText = JSON.stringify(secrets);
  return {
    id,
    account_id: source.accountId,
    name: source.name,
    application: source.application,
    enabled: source.enabled ? 1 : 0,
    verification: JSON.stringify(source.verification),
    secrets: secretText === NOTHING ? NOTHING : box.seal(secretText, sourceContext(id, 'secrets')),
    previous_secrets:
      previousSecrets.length === 0 ? null : box.seal(JSON.stringify(previousSecrets), sourceContext(id, 'previous_secrets')),
    previous_secrets_until: source.previousSecretsUntil,
    token: box.seal(source.token, sourceContext(id, 'token')),
    token_hash: source.tokenHash,
    previous_token_hash: source.previousTokenHash,
    previous_token_until: source.previousTokenUntil,
    event_type_from: source.eventTypeFrom,
    response: response === null ? null : JSON.stringify(response),
    created_at: source.createdAt,
    updated_at: source.updatedAt,
  };
}
