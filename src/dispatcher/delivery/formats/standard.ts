import type { StoredEvent } from '../../stored-event';
import type { OutgoingBody } from './outgoing-body';

const CONTENT_TYPE = 'application/json';

/**
 * The delivered body. Context and data are the sender's own bytes, spliced in, so that a number of 20 digits stays one.
 * Every key is always there, `level` and `context` as null where there is none: a reader's type has no optional field.
 */
export function standardBody(event: StoredEvent): OutgoingBody {
  // A fan-out neither builds nor holds it twice.
  return { body: (event.built ??= build(event)), contentType: CONTENT_TYPE };
}

function build(event: StoredEvent): Buffer {
  const { id, timestamp, accountId, application, eventType, level, data } = event;
  const head = JSON.stringify({ id, type: `${application}.${eventType}`, timestamp, accountId, application, eventType, level });
  const context = event.context ?? NULL;
  const text = `${head.slice(0, -1)},"context":`;
  const textBytes = Buffer.byteLength(text);
  const body = Buffer.allocUnsafe(textBytes + context.length + DATA.length + data.length + 1);
  let end = body.write(text);
  end += context.copy(body, end);
  end += DATA.copy(body, end);
  end += data.copy(body, end);
  body[end] = CLOSING_BRACE;
  return body;
}

const NULL = Buffer.from('null');
const DATA = Buffer.from(',"data":');
const CLOSING_BRACE = 0x7d;
