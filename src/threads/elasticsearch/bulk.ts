import type { Client } from '@elastic/elasticsearch';
import { setTimeout as delay } from 'node:timers/promises';
import { GatewayError } from '../../core/errors';

/** One write: `create` leaves alone what is there, `external` what is newer. */
export interface BulkWrite {
  action:
    { create: { _index: string; _id: string } } | { index: { _index: string; _id: string; version: number; version_type: 'external' } };
  document: object;
}

export interface BulkFailure<W> {
  write: W;
  reason: string;
}

/** Waits before what the server had no room for is sent again; then it counts as away. */
const RETRY_WAITS_MS = [100, 400, 1_600];

const TOO_MANY_REQUESTS = 429;
const CONFLICT = 409;
const BAD_REQUEST = 400;

interface ItemResult {
  status: number;
  error?: { type: string; reason?: string | null };
}

/**
 * Each item has its own answer: what is there already is well, what the server is too busy for is sent again, what the document is to
 * blame for is given back.
 * @throws GatewayError `thread_store_unavailable` for any other item; those that were written stay written.
 */
export async function writeBulk<W extends BulkWrite>(client: Client, writes: readonly W[]): Promise<BulkFailure<W>[]> {
  const failures: BulkFailure<W>[] = [];
  let open = writes;
  for (let attempt = 0; open.length > 0; attempt++) {
    const results = await send(client, open);
    const busy: W[] = [];
    for (const [index, write] of open.entries()) {
      const { status, error } = results[index] ?? { status: 500, error: { type: 'no answer' } };
      if (status < 300 || status === CONFLICT) continue;
      const reason = `${error?.type ?? 'error'}: ${error?.reason ?? status}`;
      if (status === BAD_REQUEST) failures.push({ write, reason });
      else if (status === TOO_MANY_REQUESTS) busy.push(write);
      else throw new GatewayError('thread_store_unavailable', `Elasticsearch does not write: ${reason}`);
    }
    const waitMs = RETRY_WAITS_MS[attempt];
    if (busy.length > 0 && waitMs === undefined) throw new GatewayError('thread_store_unavailable', 'Elasticsearch is too busy to write');
    if (busy.length > 0) await delay(waitMs);
    open = busy;
  }
  return failures;
}

/** Never without its alias: the server would make an index of its own invention. */
async function send(client: Client, writes: readonly BulkWrite[]): Promise<ItemResult[]> {
  const { items } = await client.bulk({ require_alias: true, operations: writes.flatMap(({ action, document }) => [action, document]) });
  return items.map((item) => (item.create ?? item.index) as ItemResult);
}
