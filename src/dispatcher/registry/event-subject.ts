import type { Subject } from '../../core/conditions/condition-path';
import { checkedJson } from '../../core/json-slice';
import type { StoredEvent } from '../stored-event';

/** What conditions may ask of an event; the subject is kept with it, so that its message is read once, and only when one asks. */
export type AskableEvent = Pick<
  StoredEvent,
  'accountId' | 'application' | 'eventType' | 'level' | 'timestamp' | 'context' | 'data' | 'subject'
>;

/** An event as conditions see it. Its bytes are parsed when they are first asked for. */
export class EventSubject implements Subject {
  #message: { value: unknown } | undefined;
  #context: { value: unknown } | undefined;

  constructor(private readonly event: AskableEvent) {}

  get application(): string {
    return this.event.application;
  }

  get eventType(): string {
    return this.event.eventType;
  }

  get level(): string | null {
    return this.event.level;
  }

  get timestamp(): string {
    return this.event.timestamp;
  }

  get accountId(): string {
    return this.event.accountId;
  }

  get message(): unknown {
    return (this.#message ??= { value: parsed(this.event.data) }).value;
  }

  /** Null where there is none, as in what is delivered. */
  get context(): unknown {
    const { context } = this.event;
    return (this.#context ??= { value: context === null ? null : parsed(context) }).value;
  }
}

export const subjectOf = (event: AskableEvent): Subject => (event.subject ??= new EventSubject(event));

/** Undefined where it is no JSON, or nested too deeply: conditions find nothing in it. */
function parsed(bytes: Buffer): unknown {
  try {
    return checkedJson(bytes);
  } catch {
    return undefined;
  }
}
