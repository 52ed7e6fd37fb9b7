import type { Gateway } from '../support/gateway';

const BATCH = 1_000;

/** What `POST /api/v1/events` takes. */
export interface Publication {
  application: string;
  eventType: string;
  message: unknown;
  id?: string;
  accountId?: string;
}

/** Publishes these events, in as few requests as may be. @returns their ids. */
export async function publish(gateway: Gateway, events: readonly Publication[]): Promise<string[]> {
  const ids: string[] = [];
  for (let start = 0; start < events.length; start += BATCH) {
    const { data } = await gateway.must(202, 'POST', '/api/v1/events/batch', events.slice(start, start + BATCH));
    ids.push(...(data as { id: string }[]).map(({ id }) => id));
  }
  return ids;
}

/** So many events of one type; the message tells which one it is. */
export const eventsOf = (eventType: string, count: number, more: Partial<Publication> = {}): Publication[] =>
  Array.from({ length: count }, (_, number) => ({ application: 'shop', eventType, message: { number }, ...more }));

export interface DeliveryView {
  id: string;
  eventId: string;
  status: string;
  reason: string | null;
  deadClass: string | null;
  nextAttemptAt: string | null;
  attemptCount: number;
  attempts: { at: string; status: string; code: string; durationMs: number }[];
}

/** All deliveries of an endpoint, without their attempts. */
export async function deliveriesOf(gateway: Gateway, endpointId: string, status?: string): Promise<DeliveryView[]> {
  const found: DeliveryView[] = [];
  let cursor = '';
  do {
    const query = `endpointId=${endpointId}&limit=200${status ? `&status=${status}` : ''}${cursor && `&cursor=${cursor}`}`;
    const { data, nextCursor } = await gateway.must(200, 'GET', `/api/v1/deliveries?${query}`);
    found.push(...(data as DeliveryView[]));
    cursor = (nextCursor as string | null) ?? '';
  } while (cursor !== '');
  return found;
}
