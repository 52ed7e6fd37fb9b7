import type { SourceCheck } from '../../http/door';
import type { ReceivedRequest } from '../../http/received-request';
import type { HmacScheme } from '../../presets/signing/scheme';
import { hmacVerifier } from '../../presets/signing/verifier';
import { bodyForms } from './body-forms';
import { secretForms } from './secret-forms';
import type { Trial } from './trial';
import { publicUrls, targetForms } from './url-forms';

/** What a request is tried against. */
export interface Patient {
  request: ReceivedRequest;
  check: SourceCheck;
  /** Of the other sources. */
  others: readonly SourceCheck[];
}

/** Likeliest and cheapest first. */
export function* trialsOf(patient: Patient): Generator<Trial> {
  const { request, check } = patient;
  const scheme = check.preset.scheme?.(check.settings, check.context);
  yield* secretTrials(patient, scheme);
  if (scheme !== undefined) {
    yield* schemeTrials(patient, scheme);
    if (signsUrl(scheme, request)) yield* urlTrials(patient);
    if (signsBody(scheme, request)) yield* bodyTrials(patient);
  }
  yield* otherSecretTrials(patient);
}

const settle =
  ({ preset, settings, context }: SourceCheck, secrets: readonly string[]) =>
  () =>
    preset.verifier({ ...settings, secrets }, context);

function* secretTrials({ request, check }: Patient, scheme: HmacScheme | undefined): Generator<Trial> {
  const setting = check.secretSetting;
  for (const secret of check.oldSecrets ?? []) {
    const explanation = 'The sender signs with a secret that counted here once and does so no more';
    const fix = `Give the sender the secret that is in ${setting} now, or add the old one there until it has it`;
    yield { finding: { cause: 'old_secret', explanation, fix, setting }, request, verifier: settle(check, [secret]) };
  }
  for (const secret of check.settings.secrets) {
    for (const form of secretForms(secret, scheme?.keyForm ?? 'text')) {
      const verifier =
        scheme === undefined ? settle(check, [form.secret]) : () => hmacVerifier({ ...scheme, keyForm: form.keyForm }, [form.secret]);
      yield { finding: { cause: form.cause, explanation: form.explanation, fix: form.fix(setting), setting }, request, verifier };
    }
  }
}

const NAME_OF_ENCODING = { hex: 'hex', base64: 'base64', base64url: 'the URL form of base64' } as const;

function* schemeTrials({ request, check }: Patient, scheme: HmacScheme): Generator<Trial> {
  const { secrets } = check.settings;
  const changed = (change: Partial<HmacScheme>) => () => hmacVerifier({ ...scheme, ...change }, secrets);
  const where = (field: string): string =>
    field in check.preset.fields
      ? `Set verification.${field} of the source to it`
      : 'Choose the preset that the sender follows, or `hmac` with its settings';
  const field = (name: string): { setting?: string } => (name in check.preset.fields ? { setting: `verification.${name}` } : {});
  for (const encoding of ['hex', 'base64', 'base64url'] as const) {
    for (const prefix of new Set([scheme.prefix, ''])) {
      if (encoding === scheme.encoding && prefix === scheme.prefix) continue;
      const same = encoding === scheme.encoding;
      const explanation = same
        ? `The signature comes without "${scheme.prefix}" before it`
        : `The signature is in ${NAME_OF_ENCODING[encoding]}, and ${NAME_OF_ENCODING[scheme.encoding]} is expected`;
      const name = same ? 'prefix' : 'encoding';
      const finding = { cause: 'signature_encoding', explanation, fix: where(name), ...field(name) } as const;
      yield { finding, request, verifier: changed({ encoding, prefix }) };
    }
  }
  for (const algorithm of ['sha1', 'sha256', 'sha384', 'sha512'] as const) {
    if (algorithm === scheme.algorithm) continue;
    const explanation = `The signature is made with HMAC-${algorithm.toUpperCase()}, and ${scheme.algorithm.toUpperCase()} is expected`;
    const finding = { cause: 'signature_algorithm', explanation, fix: where('algorithm'), ...field('algorithm') } as const;
    yield { finding, request, verifier: changed({ algorithm }) };
  }
}

function* urlTrials({ request, check }: Patient): Generator<Trial> {
  const { preset, settings, context } = check;
  const setting = 'hookServer.publicUrl';
  for (const { cause, change, target } of targetForms(request)) {
    const explanation = `The path of the URL that the sender signed was ${change} on its way`;
    const fix = 'Let the proxy pass the path on as it is, or give the platform the URL as it arrives here';
    const repair = { target };
    yield {
      finding: { cause, explanation, fix, repair },
      request: { ...request, target },
      verifier: () => preset.verifier(settings, context),
    };
  }
  const targets = [request.target, ...targetForms(request).map(({ target }) => target)];
  for (const publicUrl of publicUrls(context.publicUrl, request)) {
    for (const target of targets) {
      const explanation = `The sender signed a URL that begins with ${publicUrl}, and ${setting} says ${context.publicUrl ?? 'nothing'}`;
      const fix = `Set ${setting} to ${publicUrl}, or give the platform the URL that begins as ${setting} says`;
      yield {
        finding: { cause: 'public_url', explanation, fix, setting },
        request: { ...request, target },
        verifier: () => preset.verifier(settings, { ...context, publicUrl }),
      };
    }
  }
}

function* bodyTrials({ request, check }: Patient): Generator<Trial> {
  const { preset, settings, context } = check;
  for (const { change, body } of bodyForms(request.body)) {
    const explanation = `The body was ${change}: a proxy or gateway on the way has changed what the sender signed`;
    const fix = 'Let what stands between the sender and here pass bodies on byte for byte';
    yield {
      finding: { cause: 'body_reserialised', explanation, fix, repair: { body } },
      request: { ...request, body },
      verifier: () => preset.verifier(settings, context),
    };
  }
}

function* otherSecretTrials({ request, check, others }: Patient): Generator<Trial> {
  for (const other of others) {
    if (other.preset.type !== check.preset.type || other.settings.secrets.length === 0) continue;
    const explanation = `The request is signed with the secret of ${other.title}`;
    const fix = `Give the sender the URL of ${other.title}, or the secret that is in ${check.secretSetting}`;
    yield {
      finding: { cause: 'other_source_secret', explanation, fix, setting: check.secretSetting },
      request,
      verifier: settle(check, other.settings.secrets),
    };
  }
}

const signsUrl = (scheme: HmacScheme, request: ReceivedRequest): boolean =>
  contentOf(scheme, request) !==
  contentOf(scheme, { ...request, target: `${request.target}${request.target.includes('?') ? '&' : '?'}x=1` });

const signsBody = (scheme: HmacScheme, request: ReceivedRequest): boolean =>
  contentOf(scheme, { ...request, body: Buffer.from('{}') }) !== contentOf(scheme, { ...request, body: Buffer.from('[]') });

/** The first that may have been signed; empty where it cannot be made. */
function contentOf(scheme: HmacScheme, request: ReceivedRequest): string {
  try {
    for (const pieces of scheme.contents({ ...request, body: request.body.subarray(0, 64) }, '0')) return pieces.map(String).join('');
  } catch {
    // It needs what is not there.
  }
  return '';
}
