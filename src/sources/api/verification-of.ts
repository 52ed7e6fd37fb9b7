import { type FieldProblem, GatewayError } from '../../core/errors';
import { findPreset } from '../../presets/presets';
import { readVerification, secretFieldsOf } from '../../presets/verification';
import type { SecretSettings, SourceRecord } from '../registry/source-record';

type Checked = Pick<SourceRecord, 'verification' | 'secrets'>;

/**
 * Checks what was given as `verification`, over what there is of the same type; makes a secret where there is none and it is ours to
 * choose.
 * @throws GatewayError `validation_failed`.
 */
export function verificationOf(given: Readonly<Record<string, unknown>>, present?: Checked): Checked {
  const type = given['type'] ?? present?.verification.type;
  const isSame = present !== undefined && present.verification.type === type;
  const raw: Record<string, unknown> = { ...(isSame && { ...present.verification, ...present.secrets }), ...given, type };
  if (isSame && isGiven(given['secret']) && !isGiven(given['secrets'])) delete raw['secrets'];
  const secret = isGiven(raw['secret']) || isGiven(raw['secrets']) ? undefined : newSecret(type);
  const checked = readVerification({ ...raw, ...(secret !== undefined && { secret }) });
  if (!('problems' in checked)) return split(checked);
  throw invalid(checked.problems);
}

/** The same with one new secret. @throws GatewayError `validation_failed`, `conflict` where the type has none. */
export function withSecret({ verification, secrets }: Checked, given: string | undefined): Checked {
  const { type } = verification;
  if (secrets['secrets'] === undefined) throw new GatewayError('conflict', `A source of type ${type} has no secret to rotate`);
  const secret = given ?? newSecret(type);
  if (secret === undefined) throw invalid([{ path: 'secret', message: `must be given: the platform makes it, as ${type} has it` }]);
  const checked = readVerification({ ...verification, ...secrets, secrets: [secret] });
  if (!('problems' in checked)) return split(checked);
  throw invalid(checked.problems.map(({ message }) => ({ path: 'secret', message })));
}

/** Undefined for a type whose secret is not ours to choose. */
const newSecret = (type: unknown): string | undefined =>
  typeof type === 'string' ? findPreset(type)?.fields['secrets']?.generate?.() : undefined;

/** Null is the default, as everywhere. */
const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

function split({ preset, settings }: Exclude<ReturnType<typeof readVerification>, { problems: unknown }>): Checked {
  const names = new Set(secretFieldsOf(preset));
  const secrets: Record<string, SecretSettings[string]> = {};
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(settings)) {
    if (names.has(name)) {
      if (value !== undefined && !(Array.isArray(value) && value.length === 0)) secrets[name] = value as SecretSettings[string];
    } else if (name !== 'secrets') {
      fields[name] = value;
    }
  }
  return { verification: { type: preset.type, ...fields }, secrets };
}

const invalid = (problems: FieldProblem[]): GatewayError => new GatewayError('validation_failed', undefined, { problems });
