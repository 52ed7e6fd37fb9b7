import { randomSecret, secretsField } from './fields';
import type { Preset, PresetEvent, PresetMessage } from './preset';
import { presetEvent, textOf, timestampOf } from './reading';
import { openBody } from './request/body';
import type { HmacScheme } from './signing/scheme';
import { hmacVerifier } from './signing/verifier';

export const WEBEX_SCHEME: HmacScheme = {
  headers: ['X-Spark-Signature'],
  prefix: '',
  algorithm: 'sha1',
  encoding: 'hex',
  keyForm: 'text',
  signs: 'the body',
  contents: ({ body }) => [[body]],
};

export const webex: Preset = {
  type: 'webex',
  title: 'Webex',
  verifies: '`X-Spark-Signature`: HMAC-SHA1 of the body, in hex',
  documentation: 'https://developer.webex.com/docs/receive-and-verify-webhooks',
  fields: { secrets: secretsField('The secret that the webhook was created with', { generate: randomSecret }) },
  verifier: ({ secrets }) => hmacVerifier(WEBEX_SCHEME, secrets),
  scheme: () => WEBEX_SCHEME,
  reading: {
    headers: [],
    eventType: '`resource` and `event`, as in `messages.created`',
    dedupeKey: '`id`, `resource`, `event`, `data.id`, `data.created`, `data.updated`',
    read: (message) => [eventOf(message)],
  },
};

/** What happens to a resource once; anything else may happen to it again. */
const ONCE: ReadonlySet<string> = new Set(['created', 'deleted']);

function eventOf(message: PresetMessage): PresetEvent {
  const { root } = openBody(message);
  const data = root.member('data');
  const [resource, event] = [textOf(root.member('resource')), textOf(root.member('event'))];
  const [id, created, updated] = ['id', 'created', 'updated'].map((name) => textOf(data?.member(name)));
  const isKnown = id !== undefined && (updated !== undefined || ONCE.has(event ?? ''));
  const key = [textOf(root.member('id')), resource, event, id, created, updated];
  return presetEvent({
    data: root.bytes,
    eventType: resource === undefined || event === undefined ? undefined : `${resource}.${event}`,
    dedupeKey: isKnown ? JSON.stringify(key) : undefined,
    timestamp: timestampOf(event === 'updated' ? updated : event === 'created' ? created : undefined),
  });
}
