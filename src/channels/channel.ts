import { Injectable } from '@nestjs/common';
import { Broker } from '../broker/broker';
import { type QueueName, WEBHOOKS_EXCHANGE } from '../broker/topology';
import type { IncomingEvent, IncomingRequest } from '../core/hook-event';
import { Metrics } from '../metrics/metrics.service';
import { DoorCounter } from './door-counter';

/** One request as it came in, kept byte for byte until its events are read from it. */
export interface RawRequest {
  requestId: string;
  /** Milliseconds since 1970. */
  receivedAt: number;
  contentType: string;
  body: Buffer;
  /** What else the request said that reading needs (its path, a header), by short lower-case names; text that a header may hold. */
  attributes?: Readonly<Record<string, string>>;
}

/** Before the name of an attribute, in the headers of the message. */
export const ATTRIBUTE_PREFIX = 'x-attribute-';

/** A queue of a channel with workers of its own. */
export interface ChannelLane {
  name: string;
  queue: QueueName;
  /** Groups in flight at once. */
  workerCount: number;
}

/** What the ground has to know of a channel. */
export interface Channel {
  /** Also the ledger's source. */
  name: string;
  isEnabled: boolean;
  isConfigured: boolean;
  /** False: requests are accepted and stay in their queues. */
  isProcessing: boolean;
  lanes: readonly ChannelLane[];
  /** Pure; a throw means that the request can never be read. */
  parse: (request: RawRequest) => IncomingEvent[];
  /** What the channel itself does about events that are dispatched; after an outage or a crash it is told of them again. */
  dispatched?: (requests: readonly IncomingRequest[]) => Promise<void>;
  /** What else is to be told of it to an admin, by GET /api/v1/channels/:name; nothing secret. */
  state?: () => Promise<Record<string, unknown>>;
}

/** The channels of this process; each adds itself when its module is made. */
@Injectable()
export class Channels {
  private readonly byName = new Map<string, Channel>();

  register(channel: Channel): void {
    this.byName.set(channel.name, channel);
  }

  all(): Channel[] {
    return [...this.byName.values()];
  }

  find(name: string): Channel | undefined {
    return this.byName.get(name);
  }
}

/** The port through which a channel hands on what it has verified. */
@Injectable()
export class ChannelInbox {
  constructor(
    private readonly broker: Broker,
    private readonly doorCounter: DoorCounter,
    private readonly metrics: Metrics,
  ) {}

  /**
   * Resolves once the request is stored for good; only then may the sender get its 2xx.
   * @throws GatewayError `broker_unavailable`.
   */
  async enqueue(channel: string, queue: QueueName, request: RawRequest): Promise<void> {
    const startMs = performance.now();
    await this.broker.publish({
      exchange: WEBHOOKS_EXCHANGE,
      routingKey: queue,
      id: request.requestId,
      body: request.body,
      headers: {
        'x-request-id': request.requestId,
        'x-received-at': String(request.receivedAt),
        'x-content-type': request.contentType,
        ...headersOfAttributes(request.attributes),
      },
    });
    this.doorCounter.confirmed(channel);
    this.metrics.accepted.inc({ source: channel });
    this.metrics.ingestSeconds.observe({ source: channel }, (performance.now() - startMs) / 1_000);
  }
}

function headersOfAttributes(attributes: RawRequest['attributes']): Record<string, string> | undefined {
  if (attributes === undefined) return undefined;
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`${ATTRIBUTE_PREFIX}${name}`, value]));
}
