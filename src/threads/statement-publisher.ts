import { Injectable } from '@nestjs/common';
import { Broker } from '../broker/broker';
import { STATEMENTS_QUEUE } from '../broker/topology';
import type { DispatchOutcome, IncomingRequest } from '../core/hook-event';
import { newId } from '../core/ids';
import { statementOf } from './statement';
import { writeMessages } from './statement-message';
import type { ThreadStatement } from './thread';
import { ThreadsConfig } from './threads.config';

/** Hands what was said in dispatched events over to the threads. */
@Injectable()
export class StatementPublisher {
  constructor(
    private readonly config: ThreadsConfig,
    private readonly broker: Broker,
  ) {}

  /**
   * Resolves once the statements are in their queue for good; until then the requests must not be acknowledged. Published again, they
   * are known by their events.
   * @param outcomes of the requests' events, as dispatch gave them. A duplicate is the first one's to publish.
   * @throws GatewayError `broker_unavailable`.
   */
  async publish(requests: readonly IncomingRequest[], outcomes: readonly DispatchOutcome[][]): Promise<void> {
    if (!this.config.enabled) return;
    const statements = statementsOf(requests, outcomes);
    if (statements.length === 0) return;
    await Promise.all(
      writeMessages(statements).map((body) =>
        this.broker.publish({ exchange: '', routingKey: STATEMENTS_QUEUE, id: newId(), body, headers: {} }),
      ),
    );
  }
}

function statementsOf(requests: readonly IncomingRequest[], outcomes: readonly DispatchOutcome[][]): ThreadStatement[] {
  const statements: ThreadStatement[] = [];
  for (const [index, { events, receivedAt }] of requests.entries()) {
    for (const [position, event] of events.entries()) {
      const outcome = outcomes[index]?.[position];
      if (outcome === undefined || outcome.duplicate) continue;
      const statement = event.statement?.();
      if (statement === undefined) continue;
      const { timestamp } = event;
      const { id: eventId, accountId } = outcome;
      statements.push(statementOf({ statement, timestamp, receivedAt, eventId, accountId }));
    }
  }
  return statements;
}
