/** A conversation on a platform. */
export class ThreadDto {
  /**
   * The channel and the platform's own ids of the conversation.
   * @example facebook:1067280970047460:7062950420431930
   */
  id!: string;
  /** The application of its events. */
  channel!: string;
  accountId!: string;
  /** When the first of its kept statements was said, ISO 8601. */
  firstAt!: string;
  /** When the last one was said. */
  lastAt!: string;
  statementCount!: number;
}

export class ThreadListDto {
  data!: ThreadDto[];
  /** Give it as `cursor` for the next page; null at the end. */
  nextCursor!: string | null;
}

export class AttachmentDto {
  /** The platform's word for it, such as `image`. */
  type!: string;
  /** Where the platform keeps it. */
  url?: string;
}

/** One message. */
export class StatementDto {
  threadId!: string;
  channel!: string;
  accountId!: string;
  /** The platform's id of who said it. */
  author!: string;
  /** Whether the account itself said it. */
  own!: boolean;
  /** Empty where there are attachments alone. */
  text!: string;
  attachments!: AttachmentDto[];
  /** When it was said, ISO 8601. */
  at!: string;
  /** The event that brought it, see /api/v1/events. */
  eventId!: string;
}

export class ThreadWithStatementsDto extends ThreadDto {
  /** The newest first. */
  statements!: StatementDto[];
  /** Give it as `cursor` for older statements; null at the end. */
  nextCursor!: string | null;
}
