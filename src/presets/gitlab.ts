import { GatewayError } from '../core/errors';
import { isSameText } from '../core/same-text';
import { TOLERANCE_FIELD, randomSecret, secretsField } from './fields';
import type { Preset, PresetSettings, Verifier } from './preset';
import { readingOf } from './reading';
import { headerOf, requiredHeader } from './request/header';
import type { HmacScheme } from './signing/scheme';
import { standardScheme } from './signing/standard-webhooks';
import { hmacVerifier } from './signing/verifier';

/** GitLab makes signing tokens so; any other text is a secret token. */
const isSigningToken = (secret: string): boolean => secret.startsWith('whsec_');

const schemeOf = (settings: PresetSettings): HmacScheme => standardScheme(settings, ['webhook']);

/** What is signed is judged by its signature, where a signing token is known; all else by its token. */
function verifierOf(settings: PresetSettings): Verifier {
  const signingTokens = settings.secrets.filter(isSigningToken);
  const tokens = settings.secrets.filter((secret) => !isSigningToken(secret));
  const signatures = hmacVerifier(schemeOf(settings), signingTokens);
  return {
    assertValid(request, nowMs) {
      const isSigned = tokens.length === 0 || headerOf(request, 'webhook-signature') !== undefined;
      if (signingTokens.length > 0 && isSigned) return signatures.assertValid(request, nowMs);
      if (tokens.length === 0) throw new GatewayError('channel_not_configured', 'There is no secret');
      const given = requiredHeader(request, 'x-gitlab-token');
      if (!tokens.some((token) => isSameText(given, token))) throw new GatewayError('signature_invalid', 'X-Gitlab-Token is another one');
      return undefined;
    },
  };
}

export const gitlab: Preset = {
  type: 'gitlab',
  title: 'GitLab',
  verifies: '`webhook-signature` as Standard Webhooks v1, by a signing token; otherwise `X-Gitlab-Token`, which says nothing of the body',
  documentation: 'https://docs.gitlab.com/user/project/integrations/webhooks/',
  fields: {
    secrets: secretsField('The signing token, `whsec_` included, or the secret token', { generate: randomSecret }),
    toleranceSeconds: TOLERANCE_FIELD,
  },
  verifier: verifierOf,
  scheme: (settings) => (settings.secrets.some(isSigningToken) ? schemeOf(settings) : undefined),
  reading: readingOf({
    eventType: [{ header: 'X-Gitlab-Event' }, { json: 'object_kind' }],
    dedupeKey: [{ header: 'webhook-id' }, { header: 'Idempotency-Key' }],
  }),
};
