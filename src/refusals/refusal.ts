import type { ReceivedRequest } from '../http/received-request';
import { originalContext } from '../secrets/sealed-columns';
import type { SecretBox } from '../secrets/secret-box';
import type { InsertRow } from '../storage/storage';

/** What is known of a request that was refused at a door. */
export interface Refusal {
  /** The metrics' label: one for all sources of one door. */
  door: string;
  /** As in the ledger. */
  source: string;
  accountId?: string | undefined;
  status: number;
  code: string;
  detail: string;
  /** Without the query, which may hold a verify token, and without other secrets. */
  path: string;
  request: ReceivedRequest;
  /** Undefined when it was refused before its body was read. */
  body: Buffer | undefined;
  /** Of the whole body, as far as it is known. */
  bodyBytes: number;
}

/** One that waits to be written. */
export interface KeptRefusal {
  /** The request's own, which its answer and the log tell. */
  id: string;
  refusal: Refusal;
  /** A copy, whole or cut; undefined where none is kept. */
  body: Buffer | undefined;
  isWhole: boolean;
}

export type RefusalRow = InsertRow<'requests'>;

/** What is sealed of a request. */
export type Original = Pick<ReceivedRequest, 'target' | 'route' | 'headers' | 'viaProxy'>;

/** Besides credentials: a digest would let the request in again, and what a proxy tells of the URL may hold a token. */
const SECRET_HEADER = /auth|cookie|sign?(ature)?\b|hmac|digest|token|secret|password|key|x-otp|ur[il]\b|original-path|referr?er/i;
const MAX_TEXT = 1_024;

/** @param maxBodyBytes The largest body that is kept whole; of a larger one the beginning. */
export function keep(refusal: Refusal, maxBodyBytes: number): KeptRefusal {
  const { body, bodyBytes, request } = refusal;
  // A copy: a slice would keep in memory all that it was cut from.
  const copy = body === undefined ? undefined : Buffer.from(body.subarray(0, maxBodyBytes));
  const hasNone = body === undefined && bodyBytes === 0 && request.headers['transfer-encoding'] === undefined;
  return { id: request.requestId, refusal, body: copy, isWhole: hasNone || (body !== undefined && body.length <= maxBodyBytes) };
}

export const withoutBody = (kept: KeptRefusal): KeptRefusal => ({
  ...kept,
  body: undefined,
  isWhole: kept.isWhole && !kept.body?.length,
});

export function toRow({ id, refusal, body, isWhole }: KeptRefusal, box: SecretBox): RefusalRow {
  const { request } = refusal;
  const { target, route, headers, viaProxy } = request;
  return {
    id,
    at: request.receivedAt,
    source: refusal.source,
    outcome: 'rejected',
    status: refusal.status,
    code: refusal.code,
    detail: clean(refusal.detail),
    method: request.method,
    path: clean(refusal.path),
    // The types do not say that a socket which is closed already has none.
    address: request.address ?? '',
    headers: JSON.stringify(redact(headers)),
    body: body ?? null,
    body_bytes: refusal.bodyBytes,
    request_id: request.requestId,
    door: refusal.door,
    account_id: refusal.accountId ?? null,
    original: box.seal(JSON.stringify({ target, route, headers, viaProxy } satisfies Original), originalContext(id)),
    body_whole: isWhole ? 1 : 0,
    accepted_at: null,
    claimed_at: null,
  };
}

export const redact = (headers: ReceivedRequest['headers']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, SECRET_HEADER.test(name) ? '***' : clean(String(value))]],
    ),
  );

const clean = (text: string): string => text.slice(0, MAX_TEXT).replaceAll('\0', '');
