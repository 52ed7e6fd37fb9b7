import { newId } from '../core/ids';
import type { InsertRow } from '../storage/storage';

/** What is known of a request that was refused at a door. */
export interface Refusal {
  /** The metrics' label: one for all sources of one door. */
  door: string;
  /** As in the ledger. */
  source: string;
  status: number;
  code: string;
  detail: string;
  method: string;
  /** Without the query, which may hold a verify token, and without other secrets. */
  path: string;
  address: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Undefined when it was refused before its body was read. */
  body: Buffer | undefined;
  /** Of the whole body, as far as it is known. */
  bodyBytes: number;
  requestId: string;
}

export type RefusalRow = InsertRow<'requests'>;

const SECRET_HEADER = /authorization|cookie|signature|token|secret|password|api-?key|x-otp/i;
const MAX_TEXT = 1_024;

/** @param maxBodyBytes How much of the body is kept. */
export function toRow(refusal: Refusal, atMs: number, maxBodyBytes: number): RefusalRow {
  const { body } = refusal;
  return {
    id: newId(),
    at: atMs,
    source: refusal.source,
    outcome: 'rejected',
    status: refusal.status,
    code: refusal.code,
    detail: clean(refusal.detail),
    method: refusal.method,
    path: clean(refusal.path),
    address: refusal.address,
    headers: JSON.stringify(redact(refusal.headers)),
    // A copy: a slice would keep the whole body in memory.
    body: body === undefined ? null : Buffer.from(body.subarray(0, maxBodyBytes)),
    body_bytes: refusal.bodyBytes,
    request_id: refusal.requestId,
  };
}

export const redact = (headers: Refusal['headers']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, SECRET_HEADER.test(name) ? '***' : clean(String(value))]],
    ),
  );

const clean = (text: string): string => text.slice(0, MAX_TEXT).replaceAll('\0', '');
