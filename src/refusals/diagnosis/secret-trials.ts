import type { SourceCheck } from '../../http/door';
import type { HmacScheme } from '../../presets/signing/scheme';
import { hmacVerifier } from '../../presets/signing/verifier';
import { secretForms } from './secret-forms';
import { secretsOf } from './setting';
import type { Patient, Trial } from './trial';

/** Secrets of the source's own: those that counted once, and those of now as they may be on the sender's side. */
export function* secretTrials({ request, check }: Patient, scheme: HmacScheme | undefined): Generator<Trial> {
  const setting = check.secretSetting;
  for (const secret of check.oldSecrets ?? []) {
    const explanation = 'The sender signs with a secret that counted here once and does so no more';
    const fix = `Give the sender the newest secret of ${secretsOf(check)}, or add the old one there until the sender has it`;
    yield { finding: { cause: 'old_secret', explanation, fix, setting }, request, verifier: withSecrets(check, [secret]) };
  }
  for (const secret of check.settings.secrets) {
    for (const { cause, explanation, fix, ...form } of secretForms(secret, scheme?.keyForm ?? 'text')) {
      const verifier =
        scheme === undefined ? withSecrets(check, [form.secret]) : () => hmacVerifier({ ...scheme, keyForm: form.keyForm }, [form.secret]);
      yield { finding: { cause, explanation, setting, ...fix(check) }, request, verifier };
    }
  }
}

/** A keyed hash takes the secrets of any other; passwords and the like are compared with their own kind. */
export function* otherSecretTrials({ request, check, others }: Patient): Generator<Trial> {
  for (const other of others) {
    const { secrets } = other.settings;
    const isLike = other.preset.type === check.preset.type || (other.preset.scheme !== undefined && check.preset.scheme !== undefined);
    if (!isLike || secrets.length === 0) continue;
    const explanation = `The request is signed with the secret of ${other.title}`;
    const fix = `Give the sender the URL of ${other.title}, or the secret that is set as ${secretsOf(check)}`;
    const finding = { cause: 'other_source_secret', explanation, fix, setting: check.secretSetting } as const;
    yield { finding, request, verifier: withSecrets(check, secrets) };
  }
}

const withSecrets =
  ({ preset, settings, context }: SourceCheck, secrets: readonly string[]): Trial['verifier'] =>
  () =>
    preset.verifier({ ...settings, secrets }, context);
