import type { IncomingEvent } from '../../src/core/hook-event';
import { parseFacebook } from '../../src/channels/facebook/facebook.parser';

/** The events of a request. */
export const readFacebook = (body: Buffer | string | object): IncomingEvent[] =>
  parseFacebook(Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), 'application/json');

export const page = (...messaging: object[]): object => ({ object: 'page', entry: [{ id: '111', time: 1_457_764_198_246, messaging }] });

export const whatsapp = (value: object, field = 'messages'): object => ({
  object: 'whatsapp_business_account',
  entry: [{ id: 'WABA', time: 1_749_416_400, changes: [{ value, field }] }],
});

/** What is asserted of each event of a payload. */
export const summary = ({ application, eventType, identity, timestamp, dedupeKey }: IncomingEvent): (string | undefined)[] => [
  application,
  eventType,
  identity?.externalId,
  timestamp,
  dedupeKey?.replace(/#.{43}$/, '#…'),
];
