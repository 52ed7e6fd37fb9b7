import type { StoredEvent } from '../../stored-event';
import type { OutgoingBody } from './outgoing-body';

const CONTENT_TYPE = 'application/json';

/** One body for all deliveries of an event: a fan-out neither builds nor holds it twice. */
const bodies = new WeakMap<StoredEvent, Buffer>();

/**
 * The delivered body. Context and data are the sender's own bytes, spliced in, so that a number of 20 digits stays one.
 * Every key is always there, `level` and `context` as null where there is none: a reader's type has no optional field.
 */
export function standardBody(event: StoredEvent): OutgoingBody {
  let body = bodies.get(event);
  if (body === undefined) bodies.set(event, (body = build(event)));
  return { body, contentType: CONTENT_TYPE };
}

function build(event: StoredEvent): Buffer {
  const { id, timestamp, accountId, application, eventType, level } = event;
  const head = { id, type: `${application}.${eventType}`, timestamp, accountId, application, eventType, level };
  return Buffer.concat([
    Buffer.from(`${JSON.stringify(head).slice(0, -1)},"context":`),
    event.context ?? NULL,
    Buffer.from(',"data":'),
    event.data,
    Buffer.from('}'),
  ]);
}

const NULL = Buffer.from('null');
