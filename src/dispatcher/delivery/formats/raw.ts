import type { StoredEvent } from '../../stored-event';
import type { OutgoingBody } from './outgoing-body';

/** The sender's own bytes: the whole request where it held one event, else the item's. */
export const rawBody = (event: StoredEvent): OutgoingBody => ({ body: event.body, contentType: event.contentType });
