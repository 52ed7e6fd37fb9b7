import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Pool } from 'undici';
import { signatureOf } from '../support/facebook-sender';
import { ADMIN_KEY } from '../support/gateway';
import { doorOf, type Door, eventsBody, facebookBody, newItemId } from './items';
import type { Sent } from './verdict';

export interface Load {
  requestsPerSecond: number;
  parallel: number;
  itemsPerRequest: number;
  /** Of the parallel senders, so many use REST; the others the channel. */
  restSenders?: number;
}

/** How many of a hundred requests carry an item again that was accepted before. */
const RESENT_PERCENT = 10;
/** How long a sender goes on with its last request after `stopLoad`: its items shall have a clear answer. */
const FINISH_WITHIN_MS = 90_000;

/** A platform and a program of the user's: both send again what got no 2xx, and keep their own books. */
export class OutsideSender {
  /** By item. */
  readonly sent = new Map<string, Sent>();
  /** How often each status came, as `facebook 200`; status 0 is no answer. */
  readonly statuses = new Map<string, number>();
  /** Of each answer since the last `clearTimes`, in milliseconds. */
  times: number[] = [];
  private readonly pools: Pool[];
  private readonly run = randomBytes(4).toString('hex');
  private running: Promise<void>[] = [];
  private isStopping = false;
  private made = 0;
  private turn = 0;
  private isClosed = false;
  /** Some items that were accepted lately. */
  private readonly recent: Record<Door, string[]> = { facebook: [], events: [] };

  constructor(gatewayUrls: readonly string[]) {
    const options = { connections: 32, headersTimeout: 20_000, bodyTimeout: 20_000, connectTimeout: 5_000 };
    this.pools = gatewayUrls.map((url) => new Pool(url, options));
  }

  get slowestMs(): number {
    return this.times.reduce((most, time) => Math.max(most, time), 0);
  }

  /** The time that 99 of 100 answers were under. */
  get p99Ms(): number {
    return [...this.times].sort((a, b) => a - b)[Math.floor(this.times.length * 0.99)] ?? 0;
  }

  clearTimes(): void {
    this.times = [];
    this.statuses.clear();
  }

  newItems(count: number, door: Door = 'facebook'): string[] {
    return Array.from({ length: count }, () => newItemId(door, this.run, this.made++));
  }

  /** Sends these items, all of one door, in one request. @returns the status; 0 when there was no answer. */
  async send(ids: readonly string[]): Promise<number> {
    const door = doorOf(ids[0] ?? '');
    const started = Date.now();
    const status = await this.post(door, door === 'facebook' ? facebookBody(ids) : eventsBody(ids));
    this.times.push(Date.now() - started);
    const key = `${door} ${status}`;
    this.statuses.set(key, (this.statuses.get(key) ?? 0) + 1);
    const isAccepted = status >= 200 && status < 300;
    for (const id of ids) {
      const sent = this.sent.get(id) ?? { accepted: 0, unknown: 0 };
      if (isAccepted) sent.accepted += 1;
      else if (status === 0 || status >= 500) sent.unknown += 1;
      this.sent.set(id, sent);
    }
    if (isAccepted) this.remember(this.recent[door], ids[0] ?? '');
    return status;
  }

  /** Sends in the background, at an even rate, until `stopLoad`. */
  startLoad({ requestsPerSecond, parallel, itemsPerRequest, restSenders = 0 }: Load): void {
    this.isStopping = false;
    const everyMs = (1_000 * parallel) / requestsPerSecond;
    for (let index = 0; index < parallel; index++) {
      const door = index < restSenders ? 'events' : 'facebook';
      this.running.push(this.keepSending(door, itemsPerRequest, everyMs, (everyMs * index) / parallel));
    }
  }

  /**
   * So many requests at once, each until it has its 2xx; `stopLoad` waits for them.
   * @returns when the first is accepted: the gateway has its hands full at that moment.
   */
  async startBurst(requests: number, itemsPerRequest: number): Promise<void> {
    this.isStopping = false;
    await new Promise<void>((resolve) => {
      for (let request = 0; request < requests; request++) {
        this.running.push(this.sendUntilAccepted(this.newItems(itemsPerRequest), resolve));
      }
    });
  }

  /** Makes nothing new, and resolves when everything made has had its 2xx (or there is no hope of one). */
  async stopLoad(): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.running);
    this.running = [];
  }

  /** Ends at once, whatever has had no answer. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.stopLoad();
    await Promise.all(this.pools.map((pool) => pool.destroy()));
  }

  private async keepSending(door: Door, itemsPerRequest: number, everyMs: number, firstAfterMs: number): Promise<void> {
    let due = Date.now() + firstAfterMs;
    while (!this.isStopping) {
      const ids = this.newItems(itemsPerRequest, door);
      const again = this.recent[door][0];
      if (again !== undefined && this.made % 100 < RESENT_PERCENT) ids.push(again);
      let giveUpAt = Infinity;
      for (;;) {
        await wait(Math.max(0, due - Date.now()));
        due = Math.max(due + everyMs, Date.now());
        const status = await this.send(ids);
        if (status >= 200 && status < 500) break;
        if (this.isStopping) giveUpAt = Math.min(giveUpAt, Date.now() + FINISH_WITHIN_MS);
        if (this.isClosed || Date.now() > giveUpAt) break;
      }
    }
  }

  private async sendUntilAccepted(ids: readonly string[], onAccepted: () => void): Promise<void> {
    const giveUpAt = Date.now() + FINISH_WITHIN_MS;
    while (!this.isClosed && Date.now() < giveUpAt) {
      const status = await this.send(ids);
      if (status >= 200 && status < 300) return onAccepted();
      await wait(100);
    }
  }

  private async post(door: Door, body: string): Promise<number> {
    const path = door === 'facebook' ? '/facebook' : '/api/v1/events/batch';
    const credential = door === 'facebook' ? { 'x-hub-signature-256': signatureOf(body) } : { authorization: `Bearer ${ADMIN_KEY}` };
    const pool = this.pools[this.turn++ % this.pools.length];
    if (!pool) throw new Error('There is no gateway to send to.');
    try {
      const response = await pool.request({ method: 'POST', path, headers: { 'content-type': 'application/json', ...credential }, body });
      await response.body.dump();
      return response.statusCode;
    } catch {
      return 0;
    }
  }

  private remember(recent: string[], id: string): void {
    recent.push(id);
    if (recent.length > 50) recent.shift();
  }
}
