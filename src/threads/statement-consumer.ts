import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Broker, type Consumption, type IncomingMessage, type Verdict } from '../broker/broker';
import { STATEMENTS_QUEUE } from '../broker/topology';
import { cleanText } from '../core/clean-text';
import { Metrics } from '../metrics/metrics.service';
import { readMessage } from './statement-message';
import type { ThreadStatement } from './thread';
import { ThreadStore } from './thread-store';

/** A message holds the statements of a whole group of requests. */
const GROUP = { maxGroupMessages: 20, maxGroupBytes: 1024 * 1024 };
const STOP_DEADLINE_MS = 15_000;
const MAX_REASON_LENGTH = 500;

/** Writes what was said to the store. While that is away, the queue waits and nothing else does. */
@Injectable()
export class StatementConsumer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private consumption: Consumption | undefined;

  constructor(
    private readonly broker: Broker,
    private readonly store: ThreadStore,
    private readonly metrics: Metrics,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.consumption = await this.broker.consume({
      queue: STATEMENTS_QUEUE,
      concurrency: 1,
      ...GROUP,
      handle: (group) => this.handle(group),
      isAvailable: () => this.store.probe(),
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.consumption?.stop(STOP_DEADLINE_MS);
  }

  /** One verdict a message; one that holds a statement that can never be written is dead, with all others of it written. */
  async handle(group: readonly IncomingMessage[]): Promise<Verdict[]> {
    const read = group.map(readOrReason);
    const statements = read.flatMap((result) => (typeof result === 'string' ? [] : result));
    const refused = new Map<ThreadStatement, string>();
    if (statements.length > 0) {
      for (const { statement, reason } of await this.store.write(statements)) refused.set(statement, reason);
    }
    this.metrics.statements.inc({ outcome: 'written' }, statements.length - refused.size);
    if (refused.size > 0) this.metrics.statements.inc({ outcome: 'refused' }, refused.size);
    return read.map((result) => (typeof result === 'string' ? dead(result) : verdictOf(result, refused)));
  }
}

function readOrReason({ body }: IncomingMessage): ThreadStatement[] | string {
  try {
    return readMessage(body);
  } catch (error) {
    return String(error);
  }
}

function verdictOf(statements: readonly ThreadStatement[], refused: ReadonlyMap<ThreadStatement, string>): Verdict {
  const first = statements.find((statement) => refused.has(statement));
  if (first === undefined) return { kind: 'ack' };
  const others = statements.filter((statement) => refused.has(statement)).length - 1;
  return dead(`the statement of event ${first.eventId}${others > 0 ? ` (and ${others} more)` : ''}: ${refused.get(first) ?? ''}`);
}

const dead = (reason: string): Verdict => ({ kind: 'dead', reason: cleanText(reason, MAX_REASON_LENGTH) });
