import type { HmacAlgorithm, HmacScheme } from '../../presets/signing/scheme';
import { hmacVerifier } from '../../presets/signing/verifier';
import type { Patient, Trial } from './trial';

const ENCODINGS = { hex: 'hex', base64: 'base64', base64url: 'the URL form of base64' } as const;
const ALGORITHMS: readonly HmacAlgorithm[] = ['sha1', 'sha256', 'sha384', 'sha512'];

/** The signature in another form than the source expects, with its own secrets. */
export function* signatureTrials({ request, check }: Patient, scheme: HmacScheme): Generator<Trial> {
  const trial = (
    cause: 'signature_encoding' | 'signature_algorithm',
    field: string,
    explanation: string,
    change: Partial<HmacScheme>,
  ): Trial => {
    const isField = field in check.preset.fields;
    const fix = isField
      ? `Set verification.${field} of the source to it`
      : 'Choose the preset that the sender follows, or `hmac` with its settings';
    return {
      finding: { cause, explanation, fix, ...(isField && { setting: `verification.${field}` }) },
      request,
      verifier: () => hmacVerifier({ ...scheme, ...change }, check.settings.secrets),
    };
  };
  for (const encoding of ['hex', 'base64', 'base64url'] as const) {
    if (encoding === scheme.encoding) continue;
    const explanation = `The signature is in ${ENCODINGS[encoding]}, and ${ENCODINGS[scheme.encoding]} is expected`;
    for (const prefix of new Set([scheme.prefix, ''])) yield trial('signature_encoding', 'encoding', explanation, { encoding, prefix });
  }
  if (scheme.prefix !== '') {
    const explanation = `The signature comes without "${scheme.prefix}" before it`;
    yield trial('signature_encoding', 'prefix', explanation, { prefix: '' });
  }
  if (scheme.encoding === 'hex') yield inCapitals({ request, check }, scheme);
  for (const algorithm of ALGORITHMS) {
    if (algorithm === scheme.algorithm) continue;
    const explanation = `The signature is made with HMAC-${algorithm.toUpperCase()}, and ${scheme.algorithm.toUpperCase()} is expected`;
    yield trial('signature_algorithm', 'algorithm', explanation, { algorithm });
  }
}

function inCapitals({ request, check }: Pick<Patient, 'request' | 'check'>, scheme: HmacScheme): Trial {
  const names = new Set(scheme.headers.map((name) => name.toLowerCase()));
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, names.has(name) ? String(value).toLowerCase() : value]),
  );
  return {
    finding: {
      cause: 'signature_encoding',
      explanation: 'The signature is in hex with capitals, and lower case is expected',
      fix: 'Let the sender write it in lower case',
      repair: { headers },
    },
    request: { ...request, headers },
    verifier: () => check.preset.verifier(check.settings, check.context),
  };
}
