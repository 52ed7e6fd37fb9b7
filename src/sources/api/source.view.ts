import { readable } from '../../dispatcher/registry/endpoint-record';
import { findPreset } from '../../presets/presets';
import { type SealedSource, newestSecret } from '../registry/source-record';
import type { SourceDto, SourceWithSecretDto } from './sources.dto';

const NO_PUBLIC_URL = 'hookServer.publicUrl is not set: put in front of this path what the gateway is reached by from outside';

/** What is shown of a source: no secret, and of what is damaged no URL. */
export function viewSource(source: SealedSource, publicUrl: string | null, nowMs: number = Date.now()): SourceDto {
  const record = readable(() => source.open());
  const missing = missingOf(source, publicUrl);
  return {
    id: source.id,
    accountId: source.accountId,
    name: source.name,
    application: source.application,
    url: record === undefined ? null : urlOf(record.token, publicUrl),
    urlNote:
      publicUrl === null ? NO_PUBLIC_URL + (missing === undefined ? '' : `; until ${missing} is set its requests are answered 503`) : null,
    enabled: source.enabled,
    verification: source.verification,
    hasSecret: record !== undefined && newestSecret(record) !== undefined,
    previousSecretUntil: futureTime(source.previousSecretsUntil, nowMs),
    previousUrlUntil: futureTime(source.previousTokenUntil, nowMs),
    eventTypeFrom: source.eventTypeFrom,
    response: source.response,
    fault: record === undefined ? 'secret_unreadable' : missing === undefined ? null : 'channel_not_configured',
    createdAt: new Date(source.createdAt).toISOString(),
    updatedAt: new Date(source.updatedAt).toISOString(),
  };
}

export function viewWithSecret(source: SealedSource, publicUrl: string | null): SourceWithSecretDto {
  const secret = newestSecret(source.open());
  return { ...viewSource(source, publicUrl), ...(secret !== undefined && { secret }) };
}

function missingOf({ verification: { type, ...fields } }: SealedSource, publicUrl: string | null): string | undefined {
  return findPreset(type)?.missing?.({ ...fields, secrets: [] }, { publicUrl });
}

const urlOf = (token: string, publicUrl: string | null): string => `${publicUrl?.replace(/\/+$/, '') ?? ''}/in/${token}`;

const futureTime = (timeMs: number | null, nowMs: number): string | null =>
  timeMs !== null && timeMs > nowMs ? new Date(timeMs).toISOString() : null;
