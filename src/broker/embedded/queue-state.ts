import type { IncomingMessage } from '../broker';
import { type Database, IDS_PER_QUEUE } from './store-schema';

/** A message in hand; `position` is its row. */
export interface StoredMessage extends IncomingMessage {
  position: number;
}

export interface Returned {
  position: number;
  redeliveries: number;
}

interface Row {
  id: number;
  meta: string;
  body: Uint8Array;
}

/** Where one queue stands: its next place, the last one handed out, and what was given back. Bodies stay on the disk. */
export class QueueState {
  /** Messages that wait or are in hand. */
  depth: number;
  consumers = 0;
  private readonly end: number;
  private next: number;
  private cursor: number;
  private returned: Returned[] = [];
  private readonly restored = new Set<number>();
  private readonly listeners = new Set<() => void>();
  private readonly scan: ReturnType<Database['prepare']>;
  private readonly read: ReturnType<Database['prepare']>;

  constructor(
    db: Database,
    readonly name: string,
    readonly id: number,
    depth: number,
  ) {
    this.depth = depth;
    this.cursor = id * IDS_PER_QUEUE;
    this.end = this.cursor + IDS_PER_QUEUE;
    const last = db.prepare('select max(id) as id from messages where id > ? and id < ?').get(this.cursor, this.end) as {
      id: number | null;
    };
    this.next = (last.id ?? this.cursor) + 1;
    this.scan = db.prepare('select id, meta, body from messages where id > ? and id < ? order by id limit ?');
    this.read = db.prepare('select id, meta, body from messages where id = ?');
  }

  nextPosition(): number {
    return this.next++;
  }

  /** Called after each commit that added (or removed) messages. */
  committed(delta: number): void {
    this.depth += delta;
    if (delta > 0) this.notify();
  }

  /** @returns The function that ends the subscription. */
  onMessages(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  restore(message: Returned): void {
    if (message.redeliveries > 0) {
      this.returned.push(message);
      this.restored.add(message.position);
    }
  }

  giveBack(messages: Returned[]): void {
    this.returned.push(...messages);
    this.notify();
  }

  /** At most one redelivered message, so that fresh ones are not held back by many of them. Takes nothing when it throws. */
  take(maxMessages: number, maxBytes: number): StoredMessage[] {
    const taken: StoredMessage[] = [];
    try {
      this.takeInto(taken, maxMessages, maxBytes);
    } catch (error) {
      this.returned.unshift(...taken.map(({ position, redeliveries }) => ({ position, redeliveries })));
      throw error;
    }
    return taken;
  }

  private takeInto(taken: StoredMessage[], maxMessages: number, maxBytes: number): void {
    let bytes = 0;
    for (let back = this.returned[0]; back !== undefined && taken.length < maxMessages && bytes < maxBytes; back = this.returned[0]) {
      const row = this.read.get(back.position) as Row | undefined;
      this.returned.shift();
      if (row === undefined) continue;
      taken.push(this.toMessage(row, back.redeliveries));
      bytes += row.body.length;
      if (back.redeliveries > 0) break;
    }
    if (taken.length >= maxMessages || bytes >= maxBytes) return;
    for (const row of this.scan.iterate(this.cursor, this.end, maxMessages - taken.length) as Iterable<Row>) {
      this.cursor = row.id;
      if (this.restored.delete(row.id)) continue;
      taken.push(this.toMessage(row, 0));
      bytes += row.body.length;
      if (bytes >= maxBytes) break;
    }
  }

  private notify(): void {
    for (const listener of this.listeners) listener();
  }

  private toMessage(row: Row, redeliveries: number): StoredMessage {
    const [id, exchange, routingKey, headers] = JSON.parse(row.meta) as [string, string, string, Record<string, string>];
    const body = Buffer.from(row.body.buffer, row.body.byteOffset, row.body.byteLength);
    return { position: row.id, id, queue: this.name, exchange, routingKey, headers, body, redeliveries };
  }
}
