import { randomBytes } from 'node:crypto';
import { findPreset } from '../../../src/presets/presets';
import { signedRequest, codeOf, verifierOf } from '../../support/signed-request';

const VERIFICATIONS = [
  { type: 'hmac', secret: 'k', header: 'x-sig', separator: ',', prefix: 'v1=', template: '{timestamp}.{body}', timestampPart: 't' },
  { type: 'hmac', secret: 'k', header: 'x-sig', encoding: 'base64', idHeader: 'x-id', template: '{id}{header:x-odd}{url}{body}' },
  { type: 'basic', user: 'u', secret: 'p' },
  { type: 'bearer', secret: 't' },
  { type: 'api-key', secret: 't', parameter: 'key' },
  { type: 'ip', ranges: ['10.0.0.0/8'] },
  { type: 'mtls-header', commonNames: ['c'] },
  { type: 'mtls-header', format: 'envoy', fingerprints: ['ab'.repeat(20)] },
  { type: 'cloudevents', secret: 't' },
  { type: 'none' },
];

const ODD = [
  '',
  ' ',
  ',',
  '=',
  't=,v1=',
  't=1e9,v1=',
  'Basic',
  'Basic =',
  'Bearer \u00ff',
  '"',
  '\\',
  'CN=\\',
  'CN="',
  'Subject="',
  '%',
  '%ff',
  'a'.repeat(5_000),
];
const NAMES = [
  'x-sig',
  'x-id',
  'x-odd',
  'authorization',
  'ssl-client-verify',
  'ssl-client-s-dn',
  'x-forwarded-client-cert',
  'ce-id',
  'ce-source',
];
const BODIES = ['', '{', '[', '[{}]', '{"a":', '"', '['.repeat(10_000), '%', 'a=%zz&a', randomBytes(64)];
const TYPES = [
  '',
  ';',
  'application/json',
  'application/cloudevents+json',
  'application/cloudevents-batch+json',
  'text/plain',
  'image/png',
];
const TARGETS = ['/', '/in/t?', '/in/t?key=%', '/in/t?key=%ff&access_token=%00', '/in/t?key&key'];

/** Whatever comes, it is let in or refused by a code; anything else would be a fault of ours. */
it.each(VERIFICATIONS)('odd requests meet no fault in %j', (verification) => {
  const verifier = verifierOf(verification);
  const { reading, handshake } = findPreset(verification.type)!;
  for (const odd of ODD) {
    for (const target of TARGETS) {
      const headers = { ...Object.fromEntries(NAMES.map((name) => [name, odd])), 'webhook-request-origin': odd };
      const request = signedRequest({ headers, target, address: odd, viaProxy: true, body: odd });
      const code = codeOf(() => verifier.assertValid(request, Date.now()));
      if (verification.type !== 'none') expect(code).not.toBe('accepted');
      codeOf(() => handshake?.answer(request, { secrets: [] }));
    }
    for (const body of BODIES) {
      for (const contentType of TYPES) {
        const headers = Object.fromEntries(reading.headers.map((name) => [name, odd]));
        codeOf(() => reading.read({ headers, contentType, body: Buffer.from(body) }));
      }
    }
  }
});
