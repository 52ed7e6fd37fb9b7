import { ApiProperty } from '@nestjs/swagger';
import { DeliveryWithAttemptsDto } from '../delivery/deliveries.dto';

const ANY_JSON = ['object', 'array', 'string', 'number', 'boolean'].map((type) => (type === 'array' ? { type, items: {} } : { type }));

/** Documents what is read by its slices, so that the message keeps its bytes. */
export class PublishEventDto {
  /** Left out: the key's account, `default` for an admin key. */
  accountId?: string;

  /**
   * Where it comes from, at most 128 characters.
   * @example shop
   */
  application!: string;

  /**
   * What happened, at most 256 characters.
   * @example order-paid
   */
  eventType!: string;

  /** How grave it is, at most 64 characters. */
  level?: string;

  /** When it happened, ISO 8601; when it came, where it is left out. */
  timestamp?: string;

  /** Any JSON value; leaves as `data`, byte for byte. */
  @ApiProperty({ oneOf: ANY_JSON })
  message!: unknown;

  /** Your own id for it, at most 256 characters: the same one again within 8 days is a duplicate, and is not delivered. */
  id?: string;
}

export class PublishedDto {
  /** The event's id; the first one's where it is a duplicate. */
  id!: string;
  duplicate!: boolean;
}

export class PublishedListDto {
  /** One for each event, in order. */
  data!: PublishedDto[];
}

/** An event as lists show it. */
export class EventSummaryDto {
  id!: string;
  accountId!: string;
  /** The channel it came in by, `events` for this API. */
  source!: string;
  application!: string;
  eventType!: string;
  level!: string | null;
  /** When it happened, as the sender said. */
  timestamp!: string;
  /** When it came, ISO 8601. */
  receivedAt!: string;
  /** Of the request that brought it. */
  requestId!: string;
  /** `pending` while a delivery is open, then `dead` over `cancelled` over `delivered`; `filtered` when there are none. */
  status!: 'pending' | 'delivered' | 'dead' | 'cancelled' | 'filtered';
  /** Why there are no deliveries: `no_filter`, `endpoint_disabled`, or `own_bot` for what a bot did itself. */
  filteredReason!: string | null;
}

export class EventDto extends EventSummaryDto {
  /** What stood around the data in the sender's request; any JSON value. */
  @ApiProperty({ oneOf: ANY_JSON, nullable: true })
  context!: unknown;
  /** The sender's own JSON value, digit for digit. */
  @ApiProperty({ oneOf: ANY_JSON, nullable: true })
  data!: unknown;
  deliveries!: DeliveryWithAttemptsDto[];
}

export class EventListDto {
  data!: EventSummaryDto[];
  /** Ask with `?cursor=` for the next page, even after an empty one; null on the last one. */
  nextCursor!: string | null;
}
