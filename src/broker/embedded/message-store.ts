import type { OutgoingMessage } from '../broker';
import { deadQueueOf, type Topology } from '../topology';
import { GroupCommit } from './group-commit';
import { QueueState, type StoredMessage } from './queue-state';
import { type Database, type Durability, durabilityOf, IDS_PER_QUEUE, MAX_QUEUES, openDurable, openQuick } from './store-schema';

type Statement = ReturnType<Database['prepare']>;
const ACK_BYTES = 100;
const RETRY_ACK_MS = 1_000;

/** Queues of messages in one SQLite file. One process at a time. */
export class MessageStore {
  readonly queues = new Map<string, QueueState>();
  /** Why nothing could be stored at the last try; undefined while all is well. */
  failure: string | undefined;
  private readonly durable: Database;
  private readonly quick: Database;
  private readonly commits: GroupCommit;
  private readonly insert: Statement;
  private readonly remove: Statement;
  private readonly forget: Statement;
  private readonly count: Statement;
  private readonly addDepth: Statement;
  private readonly changed = new Map<QueueState, number>();
  private closed = false;

  constructor(path: string, topology: Topology) {
    this.durable = openDurable(path);
    this.quick = openQuick(path);
    this.insert = this.durable.prepare('insert into messages (id, meta, body) values (?, ?, ?)');
    this.remove = this.durable.prepare('delete from messages where id = ?');
    this.forget = this.durable.prepare('delete from handed_out where message = ?');
    this.addDepth = this.durable.prepare('update queues set depth = depth + ? where id = ?');
    this.count = this.quick.prepare('insert or replace into handed_out (message, count) values (?, ?)');
    this.commits = new GroupCommit((work) => this.commit(work));
    for (const name of topology.queues) {
      this.declare(name);
      this.declare(deadQueueOf(name));
    }
    this.restoreHandedOut();
  }

  /** Bytes that wait for their commit. */
  get waitingBytes(): number {
    return this.commits.waitingBytes;
  }

  /** Resolves when the message lies in all of the queues and on the disk. */
  add(queues: readonly QueueState[], message: OutgoingMessage): Promise<void> {
    return this.write(message.body.length, () => this.insertInto(queues, message));
  }

  /** Messages for one group or more: first what was given back, then the next fresh ones. Reads their bodies from the disk. */
  take(queue: QueueState, maxMessages: number, maxBytes: number): StoredMessage[] {
    return this.closed ? [] : queue.take(maxMessages, maxBytes);
  }

  /** Notes that they are in hand, so that a death of this process counts against them. Not fsynced. */
  handOut(messages: readonly StoredMessage[]): void {
    this.counting(() => {
      for (const { position, redeliveries } of messages) this.count.run(position, redeliveries + 1);
    });
  }

  giveBack(queue: QueueState, messages: readonly StoredMessage[], counted: boolean): void {
    // A counted one keeps the count that it got when it was handed out.
    if (!counted && !this.closed) {
      this.counting(() => {
        for (const { position, redeliveries } of messages) this.count.run(position, redeliveries);
      });
    }
    queue.giveBack(messages.map(({ position, redeliveries }) => ({ position, redeliveries: counted ? redeliveries + 1 : redeliveries })));
  }

  /** Resolves when they are gone for good. Tries again for as long as the disk refuses. */
  async ack(queue: QueueState, messages: readonly StoredMessage[]): Promise<void> {
    for (;;) {
      try {
        return await this.write(ACK_BYTES * messages.length, () => this.deleteFrom(queue, messages));
      } catch (error) {
        if (this.closed) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_ACK_MS));
      }
    }
  }

  /** Moves a message to another queue, in one commit. */
  move(from: QueueState, message: StoredMessage, to: QueueState, changed: OutgoingMessage): Promise<void> {
    return this.write(message.body.length, () => {
      this.insertInto([to], changed);
      this.deleteFrom(from, [message]);
    });
  }

  /** A durable commit that changes nothing: shows whether the disk takes writes again. */
  probe(): Promise<void> {
    return this.write(0, () => this.addDepth.run(0, 1));
  }

  /** As the connection that stores messages has it. */
  durability(): Durability {
    return durabilityOf(this.durable);
  }

  limitPages(pages: number): void {
    this.durable.exec(`pragma max_page_count = ${Math.floor(pages)}`);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.commits.close();
    this.quick.close();
    this.durable.close();
  }

  private write(bytes: number, apply: () => void): Promise<void> {
    if (this.closed) return Promise.reject(new Error('The store is closed.'));
    return new Promise((committed, failed) => this.commits.add({ bytes, apply, committed, failed }));
  }

  private commit(work: () => void): void {
    try {
      this.durable.exec('begin immediate');
      work();
      for (const [queue, delta] of this.changed) if (delta !== 0) this.addDepth.run(delta, queue.id);
      this.durable.exec('commit');
    } catch (error) {
      this.changed.clear();
      if (this.durable.isTransaction) this.durable.exec('rollback');
      this.failure = error instanceof Error ? error.message : String(error);
      throw error;
    }
    this.failure = undefined;
    for (const [queue, delta] of this.changed) queue.committed(delta);
    this.changed.clear();
  }

  private insertInto(queues: readonly QueueState[], { id, exchange, routingKey, headers, body }: OutgoingMessage): void {
    // JSON, since SQLite's text ends at a NUL when it is read.
    const meta = JSON.stringify([id, exchange, routingKey, headers]);
    for (const queue of queues) {
      this.insert.run(queue.nextPosition(), meta, body);
      this.changed.set(queue, (this.changed.get(queue) ?? 0) + 1);
    }
  }

  private deleteFrom(queue: QueueState, messages: readonly StoredMessage[]): void {
    for (const { position } of messages) {
      this.remove.run(position);
      this.forget.run(position);
    }
    this.changed.set(queue, (this.changed.get(queue) ?? 0) - messages.length);
  }

  /** One quick commit. A disk that refuses costs the counts of this round, no message. */
  private counting(work: () => void): void {
    try {
      this.quick.exec('begin immediate');
      work();
      this.quick.exec('commit');
    } catch (error) {
      if (this.quick.isTransaction) this.quick.exec('rollback');
      this.failure = error instanceof Error ? error.message : String(error);
    }
  }

  private declare(name: string): void {
    this.durable.prepare('insert into queues (name) values (?) on conflict do nothing').run(name);
    const row = this.durable.prepare('select id, depth from queues where name = ?').get(name) as { id: number; depth: number };
    if (row.id >= MAX_QUEUES) throw new Error(`The embedded broker holds at most ${MAX_QUEUES} queues.`);
    this.queues.set(name, new QueueState(this.durable, name, row.id, row.depth));
  }

  /** What was in hand when the last process ended. */
  private restoreHandedOut(): void {
    const rows = this.durable.prepare('select message, count from handed_out order by message').all() as {
      message: number;
      count: number;
    }[];
    const byId = new Map([...this.queues.values()].map((queue) => [queue.id, queue]));
    for (const { message, count } of rows) {
      byId.get(Math.floor(message / IDS_PER_QUEUE))?.restore({ position: message, redeliveries: count });
    }
  }
}
