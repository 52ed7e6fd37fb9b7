import type { FieldProblem } from '../core/errors';
import type { Field, Preset, PresetSettings } from './preset';
import { PRESETS, findPreset } from './presets';

/** Texts of a field, a list's each. */
const MAX_CHARACTERS = 4_096;
const MAX_SECRETS = 5;
const MAX_ITEMS = 100;

export type Verification = { preset: Preset; settings: PresetSettings } | { problems: FieldProblem[] };

/**
 * Reads a source's `verification`: `{type, …}` with the fields of that type.
 * @param path Of `raw` in what the caller sent; begins each problem's path.
 * @returns All settings, with defaults where a field was not given; or what is wrong, as in `validation_failed`.
 */
export function readVerification(raw: unknown, path = 'verification'): Verification {
  if (!isObject(raw)) return { problems: [{ path, message: 'must be an object' }] };
  const preset = typeof raw['type'] === 'string' ? findPreset(raw['type']) : undefined;
  if (preset === undefined) {
    return { problems: [{ path: `${path}.type`, message: `must be one of ${PRESETS.map(({ type }) => type).join(', ')}` }] };
  }
  const { settings, problems } = readFields(preset, raw);
  if (problems.length === 0) problems.push(...(preset.problems?.(settings) ?? []));
  if (problems.length === 0) return { preset, settings };
  return { problems: problems.map((problem) => ({ ...problem, path: `${path}.${problem.path}` })) };
}

/** Names of the settings that must be sealed; `secrets` is a list, each other a text. */
export const secretFieldsOf = ({ fields }: Preset): string[] => Object.keys(fields).filter((name) => fields[name]?.kind === 'secret');

function readFields({ fields }: Preset, raw: Record<string, unknown>): { settings: PresetSettings; problems: FieldProblem[] } {
  const given = { ...raw };
  delete given['type'];
  const problems: FieldProblem[] = [];
  const { secret = null, secrets = null } = raw;
  const isOne = fields['secrets'] !== undefined && secrets === null;
  if (isOne) {
    given['secrets'] = secret === null ? undefined : [secret];
    delete given['secret'];
  }
  const settings: Record<string, unknown> & PresetSettings = { secrets: [] };
  for (const [name, field] of Object.entries(fields)) {
    const value = given[name] ?? undefined;
    delete given[name];
    if (value !== undefined) {
      problems.push(...problemsOf(name, field, value));
      settings[name] = value;
    } else if (field.required === true) {
      problems.push({ path: name, message: 'is required' });
    } else if (field.default !== undefined) {
      settings[name] = field.default;
    }
  }
  problems.push(...Object.keys(given).map((path) => ({ path, message: 'is not a known field' })));
  return { settings, problems: isOne ? problems.map(ofOneSecret) : problems };
}

/** As its sender wrote it, or would have to. */
const ofOneSecret = ({ path, message }: FieldProblem): FieldProblem => ({
  path: /^secrets(\[0\])?$/.test(path) ? 'secret' : path,
  message,
});

function problemsOf(name: string, field: Field, value: unknown): FieldProblem[] {
  const isList = field.kind === 'list' || name === 'secrets';
  if (!isList) {
    const message = problemOf(field, value);
    return message === undefined ? [] : [{ path: name, message }];
  }
  const max = name === 'secrets' ? MAX_SECRETS : MAX_ITEMS;
  if (!Array.isArray(value) || value.length === 0 || value.length > max) {
    return [{ path: name, message: `must be a list of 1 to ${String(max)} texts` }];
  }
  return value.flatMap((item: unknown, index) => {
    const message = problemOf(field, item);
    return message === undefined ? [] : [{ path: `${name}[${String(index)}]`, message }];
  });
}

function problemOf(field: Field, value: unknown): string | undefined {
  return typeProblemOf(field, value) ?? field.check?.(value as never);
}

function typeProblemOf({ kind, choices = [] }: Field, value: unknown): string | undefined {
  if (kind === 'number') return typeof value === 'number' && Number.isFinite(value) ? undefined : 'must be a number';
  if (kind === 'choice') return choices.includes(value as string) ? undefined : `must be one of ${choices.join(', ')}`;
  const isText = typeof value === 'string' && value.length >= 1 && value.length <= MAX_CHARACTERS && !value.includes('\0');
  return isText ? undefined : `must be a text of 1 to ${MAX_CHARACTERS} characters`;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
