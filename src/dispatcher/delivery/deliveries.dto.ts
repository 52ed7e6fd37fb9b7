export class AttemptDto {
  /** When it began, ISO 8601. */
  at!: string;
  status!: 'succeeded' | 'failed';
  /** The answer's HTTP status, or a short error code such as `timeout`. */
  code!: string;
  durationMs!: number;
  /** The address that was connected to; null when none was. */
  address!: string | null;
  /** The beginning of the answer, at most 4 KiB, as text; null when there was none. */
  responseHead!: string | null;
}

export class DeliveryDto {
  id!: string;
  eventId!: string;
  endpointId!: string;
  accountId!: string;
  /** `pending`: not tried yet; `waiting`: failed, and tried again at `nextAttemptAt`. */
  status!: 'pending' | 'waiting' | 'delivered' | 'dead' | 'cancelled';
  /** Why it is dead or cancelled. */
  reason!: string | null;
  /** When it is dead: was it the `receiver` or our own `pipeline`. */
  deadClass!: string | null;
  /** ISO 8601; null once it is settled. */
  nextAttemptAt!: string | null;
  attemptCount!: number;
  /** True while an attempt is under way. */
  inFlight!: boolean;
  createdAt!: string;
  /** When it was delivered, given up or cancelled. */
  settledAt!: string | null;
}

export class DeliveryWithAttemptsDto extends DeliveryDto {
  /** Oldest first. */
  attempts!: AttemptDto[];
}

export class DeliveryListDto {
  data!: DeliveryDto[];
  /** Ask with `?cursor=` for the next page, even after an empty one; null on the last one. */
  nextCursor!: string | null;
}
