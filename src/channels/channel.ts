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
  /** Of one that came by an exchange which others read and write too: its routing key and its headers as they were published. */
  published?: { routingKey: string; headers: Readonly<Record<string, string>> };
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
  /** Also the ledger's source, unless `sourceOf` says otherwise. */
  name: string;
  isEnabled: boolean;
  isConfigured: boolean;
  /** False: requests are accepted and stay in their queues. */
  isProcessing: boolean;
  lanes: readonly ChannelLane[];
  /** Pure; a throw means that the request can never be read. */
  parse: (request: RawRequest) => IncomingEvent[];
  /** The ledger's source of a request, where a channel has several; asked of what can never be read as well. */
  sourceOf?: (request: RawRequest) => string;
  /** Whether a source of the ledger is one of its several. */
  hasSource?: (source: string) => boolean;
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

  /** The channel whose requests the ledger counts under that source. */
  ofSource(source: string): Channel | undefined {
    return this.all().find(({ name, hasSource }) => hasSource?.(source) ?? name === source);
  }
}

export const sourceOf = (channel: Channel, request: RawRequest): string => channel.sourceOf?.(request) ?? channel.name;

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
   * @param door Its name in the metrics.
   * @param source The ledger's, where a door has several.
   * @throws GatewayError `broker_unavailable`.
   */
  enqueue(door: string, queue: QueueName, request: RawRequest, source: string = door): Promise<void> {
    return this.publish(door, { exchange: WEBHOOKS_EXCHANGE, routingKey: queue }, request, source);
  }

  /** As enqueue, by another exchange than the channels' own. */
  async publish(door: string, { exchange, routingKey, ...told }: Address, request: RawRequest, source: string = door): Promise<void> {
    const startMs = performance.now();
    await this.broker.publish({
      exchange,
      routingKey,
      id: request.requestId,
      body: request.body,
      ...(told.contentType !== undefined && { contentType: told.contentType }),
      headers: {
        'x-request-id': request.requestId,
        'x-received-at': String(request.receivedAt),
        'x-content-type': request.contentType,
        ...headersOfAttributes(request.attributes),
        ...told.headers,
      },
    });
    this.doorCounter.confirmed(source);
    this.metrics.accepted.inc({ source: door });
    this.metrics.ingestSeconds.observe({ source: door }, (performance.now() - startMs) / 1_000);
  }
}

/** Where a message goes, and what it tells consumers outside beside what our own need. */
export interface Address {
  exchange: string;
  routingKey: string;
  contentType?: string;
  headers?: Readonly<Record<string, string>>;
}

function headersOfAttributes(attributes: RawRequest['attributes']): Record<string, string> | undefined {
  if (attributes === undefined) return undefined;
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`${ATTRIBUTE_PREFIX}${name}`, value]));
}
