import { createHmac, randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import { APP_SECRET } from './gateway';

/** The platform's signature over the raw bytes. */
export const signatureOf = (body: Buffer | string, secret = APP_SECRET): string =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

export const newMessageId = (): string => `m_${randomUUID()}`;

/** A batch as the platform sends it: one message item for each id, on one page. */
export function batchOf(messageIds: readonly string[], pageId = '111111', text = 'hello'): string {
  const messaging = messageIds.map((mid) => ({
    sender: { id: 'USER_1' },
    recipient: { id: pageId },
    timestamp: 1_458_692_752_001,
    message: { mid, text },
  }));
  return JSON.stringify({ object: 'page', entry: [{ id: pageId, time: 1_458_692_752_478, messaging }] });
}

export interface SendResult {
  /** 0 when there was no answer. */
  status: number;
  durationMs: number;
}

export interface LoadOptions {
  requestsPerSecond: number;
  parallel: number;
  itemsPerRequest: number;
}

/** A platform: sends signed batches, and again what got no 2xx; its ledger holds every item that got one. */
export class FacebookSender {
  /** Message ids whose request was answered with a 2xx. */
  readonly accepted = new Set<string>();
  /** How often each status came; 0 is no answer. */
  readonly statuses = new Map<number, number>();
  /** The longest that an answer, or its failure, took since the last reset. */
  slowestMs = 0;
  private readonly pool: Pool;
  private running: Promise<void>[] = [];
  private isStopping = false;

  constructor(gatewayUrl: string) {
    this.pool = new Pool(gatewayUrl, { connections: 32, headersTimeout: 20_000, bodyTimeout: 20_000 });
  }

  /** Sends one body, signed unless headers say otherwise. */
  async post(body: Buffer | string, headers: Record<string, string> = {}): Promise<SendResult & { text: string }> {
    const started = Date.now();
    const signed = { 'content-type': 'application/json', 'x-hub-signature-256': signatureOf(body), ...headers };
    const response = await this.pool.request({ method: 'POST', path: '/facebook', headers: signed, body });
    const text = await response.body.text();
    return { status: response.statusCode, durationMs: Date.now() - started, text };
  }

  /** Sends a batch of these items and records what became of it; never throws. */
  async send(messageIds: readonly string[], pageId?: string): Promise<SendResult> {
    const started = Date.now();
    const result = await this.post(batchOf(messageIds, pageId)).catch(() => ({ status: 0, durationMs: Date.now() - started }));
    if (result.status >= 200 && result.status < 300) for (const id of messageIds) this.accepted.add(id);
    this.statuses.set(result.status, (this.statuses.get(result.status) ?? 0) + 1);
    this.slowestMs = Math.max(this.slowestMs, result.durationMs);
    return { status: result.status, durationMs: result.durationMs };
  }

  /** Sends in the background, at an even rate, until `stop`. */
  startLoad({ requestsPerSecond, parallel, itemsPerRequest }: LoadOptions): void {
    this.isStopping = false;
    const everyMs = (1_000 * parallel) / requestsPerSecond;
    this.running = Array.from({ length: parallel }, (_, index) => this.keepSending(everyMs, (everyMs * index) / parallel, itemsPerRequest));
  }

  async stopLoad(): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.running);
    this.running = [];
  }

  async close(): Promise<void> {
    await this.stopLoad();
    await this.pool.destroy();
  }

  private async keepSending(everyMs: number, firstAfterMs: number, itemsPerRequest: number): Promise<void> {
    let due = Date.now() + firstAfterMs;
    let items: string[] = [];
    while (!this.isStopping) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - Date.now())));
      due = Math.max(due + everyMs, Date.now());
      if (items.length === 0) items = Array.from({ length: itemsPerRequest }, newMessageId);
      const { status } = await this.send(items);
      if (status >= 200 && status < 300) items = [];
    }
  }
}
