import { GatewayError } from '../../core/errors';
import { authorizationOf } from '../credentials/authorization';
import { tokenProblemOf } from '../credentials/bearer';
import { isOneOf } from '../credentials/one-of';
import type { Handshake, Preset, SignedRequest } from '../preset';
import { headerOf } from '../request/header';
import { queryOf, singleOf } from '../request/query';
import { readCloudEvents } from './read-cloudevents';

const ORIGIN = /^[A-Za-z0-9*][A-Za-z0-9.\-:]{0,252}$/;

/** By which a sender asks whether it may send; section 4 of the web hooks' specification. */
const handshake: Handshake = {
  title: '`OPTIONS` with `WebHook-Request-Origin`: answered with `WebHook-Allowed-Origin` and `WebHook-Allowed-Rate: *`',
  method: 'OPTIONS',
  isSigned: false,
  answer({ headers }) {
    const origin = headers['webhook-request-origin'];
    if (origin === undefined) return undefined;
    if (typeof origin !== 'string' || !ORIGIN.test(origin)) {
      throw new GatewayError('malformed_request', 'WebHook-Request-Origin is no name of a host');
    }
    return {
      status: 200,
      contentType: 'text/plain; charset=utf-8',
      body: '',
      headers: { allow: 'POST', 'webhook-allowed-origin': origin, 'webhook-allowed-rate': '*' },
    };
  },
};

export const cloudevents: Preset = {
  type: 'cloudevents',
  title: 'CloudEvents 1.0',
  verifies:
    'a token in `Authorization: Bearer` or the parameter `access_token`, where you set one; else **nothing**: whoever knows the URL can send',
  documentation: 'https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md',
  fields: { secrets: { kind: 'secret', description: 'The token, without spaces; not given: everybody is let in', check: tokenProblemOf } },
  verifier: ({ secrets }) => ({
    assertValid(request) {
      if (secrets.length === 0 || isOneOf(tokenOf(request), secrets)) return undefined;
      throw new GatewayError('signature_invalid', 'The access token is another one');
    },
  }),
  handshake,
  reading: {
    headers: ['ce-*'],
    eventType: '`type`',
    dedupeKey: '`source` and `id`',
    read: readCloudEvents,
  },
};

/** In the header or the URL, and not in both; section 3 of the web hooks' specification. */
function tokenOf(request: SignedRequest): string {
  const inUrl = singleOf(queryOf(request.target), 'access_token');
  if (inUrl === undefined) return authorizationOf(request, 'Bearer');
  if (headerOf(request, 'authorization') !== undefined) {
    throw new GatewayError('malformed_request', 'The access token may stand in the header or in the URL, not in both');
  }
  return inUrl;
}
