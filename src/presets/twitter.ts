import { createHmac } from 'node:crypto';
import { GatewayError } from '../core/errors';
import type { JsonSlice } from '../core/json-slice';
import { secretsField } from './fields';
import type { Preset, PresetEvent } from './preset';
import { bounded, presetEvent, textOf, timestampOf } from './reading';
import { openBody } from './request/body';
import { type Query, queryOf } from './request/query';
import type { HmacScheme } from './signing/scheme';
import { hmacKey, hmacVerifier } from './signing/verifier';

export const TWITTER_SCHEME: HmacScheme = {
  headers: ['x-twitter-webhooks-signature'],
  prefix: 'sha256=',
  algorithm: 'sha256',
  encoding: 'base64',
  keyForm: 'text',
  signs: 'the body',
  contents: ({ body }) => [[body]],
};

/**
 * The answer to a check is made with the key that signs webhooks: whoever could have a JSON object "checked" would hold its signature.
 * No object can be written with these characters.
 */
const CRC_TOKEN = /^[A-Za-z0-9 +/=_.-]{1,200}$/;

/**
 * @param secret The newest consumer secret.
 * @returns The `response_token` of a challenge-response check.
 * @throws GatewayError `malformed_request`.
 */
export function crcAnswer({ crc_token: token }: Query, secret: string): string {
  if (typeof token !== 'string' || !CRC_TOKEN.test(token)) {
    throw new GatewayError('malformed_request', 'crc_token must be given once: 1 to 200 letters, digits, spaces or +/=_.-');
  }
  return `sha256=${createHmac('sha256', hmacKey(TWITTER_SCHEME, secret)).update(token).digest('base64')}`;
}

export const twitter: Preset = {
  type: 'twitter',
  title: 'X (Twitter): Account Activity',
  verifies: '`x-twitter-webhooks-signature`: `sha256=` and HMAC-SHA256 of the body, in base64',
  documentation: 'https://docs.x.com/x-api/webhooks/quickstart',
  fields: { secrets: secretsField('The app’s consumer secret (API secret key)') },
  verifier: ({ secrets }) => hmacVerifier(TWITTER_SCHEME, secrets),
  scheme: () => TWITTER_SCHEME,
  handshake: {
    title: '`GET` with `crc_token`: its HMAC-SHA256, as `response_token`',
    method: 'GET',
    isSigned: false,
    answer({ target }, { secrets: [secret] }) {
      if (secret === undefined) throw new GatewayError('channel_not_configured', 'There is no secret');
      const body = JSON.stringify({ response_token: crcAnswer(queryOf(target), secret) });
      return { status: 200, contentType: 'application/json; charset=utf-8', body };
    },
  },
  reading: {
    headers: [],
    eventType: 'the list that holds the item, as in `tweet_create`; `user_event`',
    dedupeKey: '`for_user_id`, event type and the item’s id',
    read: (message) => [...bounded(eventsOf(openBody(message).root))],
  },
};

const EVENTS = /^(.{1,120})_events$/;

function eventsOf(root: JsonSlice): PresetEvent[] {
  const forUser = textOf(root.member('for_user_id'));
  const events = [...root.members()].flatMap(([name, value]) => {
    const kind = EVENTS.exec(name)?.[1];
    if (kind !== undefined) return value.elements().map((item) => eventOf(item, kind, forUser));
    return name === 'user_event' && value.kind === 'object' ? [eventOf(value, name, forUser)] : [];
  });
  if (events.length === 0)
    throw new GatewayError('malformed_request', 'The body has no array such as "tweet_create_events", and no "user_event"');
  return events;
}

/** Two subscribed users of one conversation get the same item in two requests: those are two events. */
function eventOf(item: JsonSlice, eventType: string, forUser = ''): PresetEvent {
  const id = textOf(item.member('id_str')) ?? textOf(item.member('id'));
  return presetEvent({
    data: item.bytes,
    eventType,
    dedupeKey: id === undefined ? undefined : `${forUser}:${eventType}:${id}`,
    timestamp: timestampOf(textOf(item.member('created_timestamp') ?? item.member('timestamp_ms') ?? item.member('created_at'))),
  });
}
