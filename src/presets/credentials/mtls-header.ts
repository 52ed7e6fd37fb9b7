import { GatewayError } from '../../core/errors';
import { textSetting } from '../fields';
import { DEDUPE_FIELD, GENERIC_READING } from '../generic';
import type { Field, Preset, PresetSettings, SignedRequest } from '../preset';
import { headerOf, requiredHeader } from '../request/header';
import { headerNameProblemOf } from '../request/header-name';
import { type Certificate, commonNameOf, forwardedCertificate, plainFingerprint } from './certificate-names';

const header = (name: string, description: string): Field => ({
  kind: 'text',
  default: name,
  description,
  check: headerNameProblemOf,
});

const FINGERPRINT = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

/** Headers that anybody could send: they count from trusted proxies only, which must take them out of what comes from outside. */
export const mtlsHeader: Preset = {
  type: 'mtls-header',
  title: 'Client certificate, as the proxy tells',
  verifies:
    'what a proxy of `http.trustedProxies` that ended TLS says of the client’s certificate: any of your common names, alternative names or fingerprints; from anybody else it is refused',
  documentation: 'https://www.rfc-editor.org/rfc/rfc9440',
  fields: {
    format: {
      kind: 'choice',
      choices: ['nginx', 'envoy'],
      default: 'nginx',
      description: 'nginx: one header for each fact; envoy: `X-Forwarded-Client-Cert`, whose last certificate counts',
    },
    commonNames: { kind: 'list', description: 'Common names (CN) of subjects that are let in' },
    alternativeNames: { kind: 'list', description: 'URIs and DNS names of the certificate that are let in; envoy only' },
    fingerprints: {
      kind: 'list',
      description: 'SHA-1 (nginx) or SHA-256 (envoy) of certificates that are let in, in hex',
      check: (text: string) => (FINGERPRINT.test(plainFingerprint(text)) ? undefined : 'must be 40 or 64 hex digits'),
    },
    verifyHeader: header('ssl-client-verify', 'nginx: header of `$ssl_client_verify`, which must be `SUCCESS`'),
    subjectHeader: header('ssl-client-s-dn', 'nginx: header of `$ssl_client_s_dn`'),
    fingerprintHeader: header('ssl-client-fingerprint', 'nginx: header of `$ssl_client_fingerprint`'),
    forwardedHeader: header('x-forwarded-client-cert', 'envoy: its header'),
    dedupeFrom: DEDUPE_FIELD,
  },
  problems({ format, commonNames, alternativeNames, fingerprints }) {
    if (alternativeNames !== undefined && format !== 'envoy') return [{ path: 'alternativeNames', message: 'needs the format envoy' }];
    const isOpen = [commonNames, alternativeNames, fingerprints].every((list) => list === undefined);
    return isOpen ? [{ path: 'commonNames', message: ', alternativeNames or fingerprints must be given' }] : [];
  },
  verifier(settings) {
    const commonNames = setOf(settings['commonNames']);
    const alternativeNames = setOf(settings['alternativeNames']);
    const fingerprints = new Set([...setOf(settings['fingerprints'])].map(plainFingerprint));
    return {
      assertValid(request) {
        if (!request.viaProxy) {
          throw new GatewayError(
            'signature_invalid',
            'Who is connected is none of http.trustedProxies, so what it says of certificates is not heard',
          );
        }
        const found = settings['format'] === 'envoy' ? fromEnvoy(request, settings) : fromNginx(request, settings);
        const isKnown =
          (found.commonName !== undefined && commonNames.has(found.commonName)) ||
          (found.fingerprint !== undefined && fingerprints.has(found.fingerprint)) ||
          found.alternativeNames.some((name) => alternativeNames.has(name));
        if (!isKnown) throw new GatewayError('signature_invalid', 'The client’s certificate is none of those that are let in');
        return undefined;
      },
    };
  },
  reading: GENERIC_READING,
};

const setOf = (list: unknown): ReadonlySet<string> => new Set((list ?? []) as readonly string[]);

const nameIn = (settings: PresetSettings, field: string): string => (textSetting(settings, field) ?? '').toLowerCase();

const fromEnvoy = (request: SignedRequest, settings: PresetSettings): Certificate =>
  forwardedCertificate(requiredHeader(request, nameIn(settings, 'forwardedHeader')));

function fromNginx(request: SignedRequest, settings: PresetSettings): Certificate {
  const verdict = requiredHeader(request, nameIn(settings, 'verifyHeader'));
  if (verdict !== 'SUCCESS') throw new GatewayError('signature_invalid', 'The proxy did not find the client’s certificate valid');
  const subject = headerOf(request, nameIn(settings, 'subjectHeader'));
  const fingerprint = headerOf(request, nameIn(settings, 'fingerprintHeader'));
  return {
    commonName: subject === undefined ? undefined : commonNameOf(subject),
    alternativeNames: [],
    fingerprint: fingerprint === undefined ? undefined : plainFingerprint(fingerprint),
  };
}
