import { Receiver, type Received } from '../support/receiver';
import { facebookBody, idOf, itemOf, type OneItemRequest } from './items';
import type { Arrival, Arrived } from './verdict';

/** One endpoint's other side: checks each delivery for itself and keeps its own books; bodies are not kept. */
export class OutsideReceiver {
  readonly items = new Map<string, Arrival>();
  readonly spoiled: string[] = [];

  private constructor(
    readonly receiver: Receiver,
    /** Whether the endpoint gets the item's bytes without an envelope. */
    private readonly isRaw: boolean,
  ) {}

  static async start(isRaw: boolean): Promise<OutsideReceiver> {
    return new OutsideReceiver(await Receiver.start(), isRaw);
  }

  /** Deliveries so far. */
  total = 0;
  /** Attempts so far that it answered with an error: it has not taken what they brought. */
  refused = 0;

  /** Books what has come since the last time. */
  absorb(): Arrived {
    for (const request of this.receiver.received.splice(0)) this.book(request);
    return this;
  }

  private book({ body, id: webhookId, verified, status = 0 }: Received): void {
    if (status >= 300) {
      this.refused += 1;
      return;
    }
    this.total += 1;
    const text = body.toString();
    const id = this.itemIn(text);
    const sent = id === undefined ? undefined : itemOf(id);
    const isWhole =
      sent !== undefined && (this.isRaw ? text === sent || text === facebookBody([id ?? '']) : text.endsWith(`,"data":${sent}}`));
    if (id === undefined || !isWhole || !verified || webhookId === '') {
      this.spoiled.push(`${id ?? text.slice(0, 200)} (${verified ? 'not as sent' : 'signature not valid'})`);
      return;
    }
    const arrival = this.items.get(id);
    if (!arrival) {
      this.items.set(id, { count: 1, ids: [webhookId] });
      return;
    }
    arrival.count += 1;
    if (!arrival.ids.includes(webhookId)) arrival.ids.push(webhookId);
  }

  private itemIn(text: string): string | undefined {
    try {
      const parsed = JSON.parse(text) as { data?: unknown } & Partial<OneItemRequest>;
      if (!this.isRaw) return idOf(parsed.data);
      // A request that held one item comes as it was sent.
      return idOf(parsed.entry?.[0]?.messaging[0] ?? parsed);
    } catch {
      return undefined;
    }
  }
}
