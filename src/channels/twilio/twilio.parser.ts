import type { IncomingEvent } from '../../core/hook-event';
import { mediaTypeOf } from '../../core/media-type';
import type { RawRequest } from '../channel';
import { readCloudEvents } from './twilio.cloud-events';
import type { DoorFacts } from './twilio.event';
import { ROUTES } from './twilio.form-kind';
import { readForm } from './twilio.forms';

export const JSON_TYPE = 'application/json';
export const FORM_TYPE = 'application/x-www-form-urlencoded';

/** What a bad sender puts here is not in what is signed: it must at least be fit for a header of the queue, and not endless. */
const FIT_TOKEN = /^[\x21-\x7e]{1,128}$/;

/** As they go through the queue. @param token I-Twilio-Idempotency-Token, left out where it is unfit. */
export function attributesOf({ route, token, signer }: DoorFacts): Readonly<Record<string, string>> {
  return { route, ...(token !== undefined && FIT_TOKEN.test(token) && { token }), ...(signer !== undefined && { signer }) };
}

/** @throws GatewayError `json_too_deep`, `malformed_json`, `malformed_request`, `body_too_large`. */
export function parseTwilio({
  body,
  contentType,
  attributes = {},
}: Pick<RawRequest, 'body' | 'contentType' | 'attributes'>): IncomingEvent[] {
  const route = ROUTES.find((name) => name === attributes['route']) ?? 'message';
  const facts: DoorFacts = { route, token: attributes['token'], signer: attributes['signer'] };
  return mediaTypeOf(contentType) === JSON_TYPE ? readCloudEvents(body, contentType, facts) : readForm(body, contentType, facts);
}
