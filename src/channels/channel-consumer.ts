import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { setImmediate } from 'node:timers/promises';
import { Broker, type Consumption, type IncomingMessage, type Verdict } from '../broker/broker';
import { ENRICH_EXCHANGE, REDELIVERY_LIMIT } from '../broker/topology';
import { GatewayError, isOutage } from '../core/errors';
import type { DispatchOutcome, IncomingRequest } from '../core/hook-event';
import { cleanText } from '../core/clean-text';
import { newId } from '../core/ids';
import { DispatcherService } from '../dispatcher/dispatcher.service';
import { Storage } from '../storage/storage';
import { StatementPublisher } from '../threads/statement-publisher';
import { ATTRIBUTE_PREFIX, type Channel, Channels, type RawRequest, sourceOf } from './channel';

/** Reading a group must not hold up the event loop for longer than this many bytes take (some milliseconds). */
const BYTES_PER_TURN = 512 * 1024;
/** With the deliveries' drain after it, within the shutdown's own deadline. */
const STOP_DEADLINE_MS = 15_000;
/** The last millisecond that a Date can be. */
const LAST_TIME_MS = 8.64e15;

/**
 * Takes the requests of every processing channel out of its lanes, reads their events and has them dispatched. A channel that
 * is switched off at the door still has its queues emptied: what was accepted is owed.
 */
@Injectable()
export class ChannelConsumer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ChannelConsumer.name);
  private consumptions: Consumption[] = [];

  constructor(
    private readonly channels: Channels,
    private readonly broker: Broker,
    private readonly storage: Storage,
    private readonly dispatcher: DispatcherService,
    private readonly statements: StatementPublisher,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const processing = this.channels.all().filter((channel) => channel.isProcessing);
    this.consumptions = await Promise.all(
      processing.flatMap((channel) =>
        channel.lanes.map(({ queue, workerCount }) =>
          this.broker.consume({
            queue,
            concurrency: workerCount,
            handle: (group) => this.handle(channel, group),
            givenUp: async (message) => void (await recordDead(this.dispatcher, channel, message)),
            isAvailable: () => this.storage.probe(),
          }),
        ),
      ),
    );
  }

  async beforeApplicationShutdown(): Promise<void> {
    const consumptions = this.consumptions;
    this.consumptions = [];
    await Promise.all(consumptions.map((consumption) => consumption.stop(STOP_DEADLINE_MS)));
  }

  /**
   * One verdict a message. @throws what the dispatcher throws; then nothing of the group was written; and `broker_unavailable` when what
   * was said could not be handed on: then the group is to be handled again, which dispatches nothing twice.
   */
  async handle(channel: Channel, group: readonly IncomingMessage[]): Promise<Verdict[]> {
    const requests: IncomingRequest[] = [];
    const verdicts: Verdict[] = [];
    let bytesOfTurn = 0;
    for (const message of group) {
      if (bytesOfTurn > BYTES_PER_TURN) {
        await setImmediate();
        bytesOfTurn = 0;
      }
      bytesOfTurn += message.body.length;
      const request = rawRequestOf(message);
      try {
        const { requestId, receivedAt } = request;
        requests.push({ requestId, source: sourceOf(channel, request), receivedAt, events: channel.parse(request) });
        verdicts.push({ kind: 'ack' });
      } catch (error) {
        verdicts.push(await this.bury(channel, request, error));
      }
    }
    // A request without events is dispatched as well: it has passed the door and counts as come through.
    let outcomes: DispatchOutcome[][] = [];
    try {
      if (requests.length > 0) outcomes = await this.dispatcher.dispatch(requests);
    } catch (error) {
      const [message] = group;
      const isLastTry = message !== undefined && group.length === 1 && message.redeliveries + 1 >= REDELIVERY_LIMIT;
      if (!isLastTry || isOutage(error)) throw error;
      return [await this.bury(channel, rawRequestOf(message), error)];
    }
    await this.statements.publish(requests, outcomes);
    await channel.dispatched?.(requests);
    return verdicts;
  }

  private async bury(channel: Channel, request: RawRequest, error: unknown): Promise<Verdict> {
    const { requestId } = request;
    const reason = error instanceof GatewayError ? `${error.code}: ${error.message}` : `failed: ${String(error)}`;
    await this.dispatcher.recordPoison(sourceOf(channel, request), requestId);
    this.logger.warn(`Request ${requestId} of ${channel.name} can never be processed and goes to the dead queue: ${reason}`);
    return { kind: 'dead', reason: cleanText(reason, 500) };
  }
}

/** Books a message that the broker gave up. @returns its request's id. @throws GatewayError `storage_unavailable`. */
export async function recordDead(
  dispatcher: Pick<DispatcherService, 'recordPoison'>,
  channel: Channel,
  message: IncomingMessage,
): Promise<string> {
  const request = rawRequestOf(message);
  await dispatcher.recordPoison(sourceOf(channel, request), request.requestId);
  return request.requestId;
}

const requestIdOf = ({ id, headers }: Pick<IncomingMessage, 'id' | 'headers'>): string =>
  cleanText(headers['x-request-id'] ?? id, 128) || newId();

/** Headers may be missing on what others put into the queue. */
function rawRequestOf(message: IncomingMessage): RawRequest {
  const { headers, body } = message;
  const receivedAt = Number(headers['x-received-at']);
  return {
    requestId: requestIdOf(message),
    receivedAt: receivedAt > 0 && receivedAt <= LAST_TIME_MS ? Math.floor(receivedAt) : Date.now(),
    contentType: headers['x-content-type'] ?? 'application/json',
    body,
    ...attributesOf(headers),
    ...(message.exchange === ENRICH_EXCHANGE && { published: { routingKey: message.routingKey, headers } }),
  };
}

/** Most channels have none: then nothing is made. */
function attributesOf(headers: IncomingMessage['headers']): Pick<RawRequest, 'attributes'> | undefined {
  let attributes: Record<string, string> | undefined;
  for (const name in headers) {
    if (name.startsWith(ATTRIBUTE_PREFIX)) (attributes ??= {})[name.slice(ATTRIBUTE_PREFIX.length)] = headers[name]!;
  }
  return attributes && { attributes };
}
