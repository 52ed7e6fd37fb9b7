import { isUtf8 } from 'node:buffer';
import type { Selectable } from 'kysely';
import type { RequestsTable } from '../storage/schema';
import type { RefusalHead } from './refusals.repository';

export class RefusalDto {
  id!: string;
  /** ISO 8601. */
  at!: string;
  /** As in the ledger, such as `facebook` or `in:<source id>`. */
  source!: string;
  /** `rejected`, or `accepted` once it was taken in after all. */
  outcome!: string;
  /** When it was; ISO 8601. */
  acceptedAt!: string | null;
  /** The answer's HTTP status. */
  status!: number;
  /** Why, as in docs/errors.md. */
  code!: string;
  detail!: string;
  method!: string;
  path!: string;
  /** Who sent it. */
  address!: string;
  /** Of the whole body, as far as it is known. */
  bodyBytes!: number;
  /** Whether all of it is kept: only then can the request be accepted. */
  bodyComplete!: boolean;
  /** As in the answer's `x-request-id`: the same as `id`. */
  requestId!: string;
}

export class RefusalDetailDto extends RefusalDto {
  /** Secrets among them are shown as `***`. */
  headers!: Record<string, string>;
  /** The beginning of the body, where it was read and is text. */
  body!: string | null;
  /** The same in base64, where it is no text. */
  bodyBase64!: string | null;
}

export class RefusalListDto {
  data!: RefusalDto[];
  /** Ask with `?cursor=` for the next page; null on the last one. */
  nextCursor!: string | null;
}

/** Of a body. */
const SHOWN_BYTES = 65_536;

export const refusalView = (row: RefusalHead): RefusalDto => ({
  id: row.id,
  at: new Date(row.at).toISOString(),
  source: row.source,
  outcome: row.outcome,
  acceptedAt: row.accepted_at === null ? null : new Date(row.accepted_at).toISOString(),
  status: row.status,
  code: row.code,
  detail: row.detail,
  method: row.method,
  path: row.path,
  address: row.address,
  bodyBytes: row.body_bytes,
  bodyComplete: row.body_whole === 1,
  requestId: row.request_id,
});

export function refusalDetailView(row: Selectable<RequestsTable>): RefusalDetailDto {
  const body = row.body === null ? null : Buffer.from(row.body).subarray(0, SHOWN_BYTES);
  const isText = body !== null && isUtf8(body);
  return {
    ...refusalView(row),
    headers: JSON.parse(row.headers) as Record<string, string>,
    body: isText ? body.toString('utf8') : null,
    bodyBase64: body === null || isText ? null : body.toString('base64'),
  };
}
