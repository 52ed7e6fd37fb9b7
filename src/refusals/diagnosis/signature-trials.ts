import type { HmacAlgorithm, HmacScheme } from '../../presets/signing/scheme';
import { hmacVerifier } from '../../presets/signing/verifier';
import type { SourceCheck } from '../../http/door';
import { fieldOf, isSource } from './setting';
import type { Finding, Patient, Trial } from './trial';

const ENCODINGS = { hex: 'hex', base64: 'base64', base64url: 'the URL form of base64' } as const;
const ALGORITHMS: readonly HmacAlgorithm[] = ['sha1', 'sha256', 'sha384', 'sha512'];

/** The signature in another form than the source expects, with its own secrets. */
export function* signatureTrials({ request, check }: Patient, scheme: HmacScheme): Generator<Trial> {
  const trial = (
    cause: 'signature_encoding' | 'signature_algorithm',
    explanation: string,
    change: Partial<Pick<HmacScheme, 'encoding' | 'prefix' | 'algorithm'>>,
  ): Trial => ({
    finding: { cause, explanation, ...fixOf(check, scheme, change) },
    request,
    verifier: () => hmacVerifier({ ...scheme, ...change }, check.settings.secrets),
  });
  for (const encoding of ['hex', 'base64', 'base64url'] as const) {
    if (encoding === scheme.encoding) continue;
    const explanation = `The signature is in ${ENCODINGS[encoding]}, and ${ENCODINGS[scheme.encoding]} is expected`;
    for (const prefix of new Set([scheme.prefix, ''])) yield trial('signature_encoding', explanation, { encoding, prefix });
  }
  if (scheme.prefix !== '') {
    const explanation = `The signature comes without "${scheme.prefix}" before it`;
    yield trial('signature_encoding', explanation, { prefix: '' });
  }
  if (scheme.encoding === 'hex') yield inCapitals({ request, check }, scheme);
  for (const algorithm of ALGORITHMS) {
    if (algorithm === scheme.algorithm) continue;
    const explanation = `The signature is made with HMAC-${algorithm.toUpperCase()}, and ${scheme.algorithm.toUpperCase()} is expected`;
    yield trial('signature_algorithm', explanation, { algorithm });
  }
}

/** Settings by their values where the source has them; else who must change. */
function fixOf(check: SourceCheck, scheme: HmacScheme, change: Partial<HmacScheme>): Pick<Finding, 'fix' | 'setting'> {
  const changed = (['encoding', 'algorithm', 'prefix'] as const).filter((field) => (change[field] ?? scheme[field]) !== scheme[field]);
  const values = changed.map((field) => [field, change[field] === '' ? undefined : change[field]] as const);
  const [first] = changed;
  if (first !== undefined && fieldOf(check, first) !== undefined) {
    const steps = values.map(([field, value]) => `${String(fieldOf(check, field))} to \`${value ?? 'null'}\``);
    return { fix: `Set ${steps.join(' and ')}`, setting: `verification.${first}` };
  }
  const hmac = `\`hmac\` with ${values.map(([field, value]) => (value === undefined ? `no \`${field}\`` : `\`${field}\` \`${value}\``)).join(' and ')}`;
  const sender = `Let the sender sign as ${check.preset.title} does (${check.preset.documentation})`;
  return isSource(check)
    ? { fix: `${sender}, or set verification.type of ${check.title} to ${hmac}`, setting: 'verification.type' }
    : { fix: `${sender}, or give it the URL of a source of the type ${hmac}` };
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
