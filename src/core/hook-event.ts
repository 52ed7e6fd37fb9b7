/** What happened, as the sender described it: one item of a request, before it has an id and an account. */
export interface IncomingEvent {
  /** The account, where the sender may choose it; else found by `identity`, else `default`. */
  accountId?: string;
  /** Who on the platform this belongs to (page id, phone number id …); mapped to an account by its identities. */
  identity?: {
    channel: string;
    externalId: string;
    /** Who else it may be mapped by, in this order, while `externalId` is not. */
    fallbackIds?: readonly string[];
  };
  application: string;
  eventType: string;
  level?: string;
  /** ISO 8601; when the sender says it happened. Without it the receive time counts. */
  timestamp?: string;
  /** JSON text of what stands around the item, exactly as sent where it was sent; absent when there is nothing. */
  context?: Buffer;
  /** The item's own bytes: a JSON value, cut from the request and never serialised again. */
  data: Buffer;
  /** What `properties.body: "raw"` sends: the whole request when it held one event, else the same as `data`. */
  body: Buffer;
  /** Content type of `body`. */
  contentType: string;
  /** The platform's own key for this item; without one the request's id is the key. */
  dedupeKey?: string;
  /** Ids of endpoints that get it whatever the filters say, whichever account they are of. Never a sender's choice. */
  to?: readonly string[];
  /** Why nobody gets it, whatever the filters say. It is kept, listed with this as its `filteredReason`, and counted as filtered. */
  withheld?: WithheldReason;
  /**
   * What was said, where the event is a message between people. Only the threads ask, once the event is dispatched: made before, the
   * texts of all events in hand would be kept beside their bytes.
   */
  statement?: () => Statement | undefined;
}

/** `own_bot`: the bot that reads these events did it itself; delivered, its answer would be the next such event. */
export type WithheldReason = 'own_bot';

/** What a message adds to its thread; its channel (the event's application), account, time and id are the event's. */
export interface Statement {
  /** The platform's conversation: `<application>:` and the platform's own ids of it, which never change; printable ASCII without spaces. */
  threadId: string;
  /** The platform's id of who said it. */
  author: string;
  /** True for what the account itself said: an echo, an own post, the bot. */
  isOwn: boolean;
  /** Empty where there are attachments alone. */
  text: string;
  attachments: Attachment[];
}

export interface Attachment {
  /** The platform's word for it: `image`, `audio`, `location`, a media type. */
  type: string;
  url?: string;
}

/** One accepted request (a broker message, or a call of the REST API) with the events read from it. */
export interface IncomingRequest {
  /** Kept on its events: the same id again is our own redelivery and is no duplicate. */
  requestId: string;
  /** The ledger's source: a channel's name, `events` for the REST API. */
  source: string;
  /** Milliseconds since 1970. */
  receivedAt: number;
  events: IncomingEvent[];
}

/** What became of one event of a request. `id` is the first one's where it is a duplicate. */
export interface DispatchOutcome {
  id: string;
  duplicate: boolean;
  /** Whose the event is. */
  accountId: string;
}

/** What its publisher is told of it. */
export type PublishedOutcome = Pick<DispatchOutcome, 'id' | 'duplicate'>;

export type DeliveryStatus = 'pending' | 'waiting' | 'delivered' | 'dead' | 'cancelled';
