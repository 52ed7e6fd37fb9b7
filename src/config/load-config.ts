import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { plainToInstance } from 'class-transformer';
import { type ValidationError, validateSync } from 'class-validator';
import { parse } from 'yaml';
import { allowedValues } from './allowed-values';
import { type Origins, applyFile } from './config-file';
import { type SectionClass, configSections } from './config-section';
import { GATEWAY, type Program, applyEnvironment, unknownVariables } from './environment';
import { isSecret } from './secret';
import { type SettingMap, isMap, valueAt } from './setting-tree';

/** The settings cannot be used; `problems` has one line for each that is wrong. The program ends with status 78. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  static readonly exitCode = 78;

  constructor(readonly problems: readonly string[]) {
    super(['The settings are not valid:', ...problems].join('\n  '));
  }
}

/** The validated, frozen sections. */
export class Settings {
  constructor(
    private readonly sections: ReadonlyMap<SectionClass, object>,
    /** Names of variables that are probably typos; to be warned of. */
    readonly unknownVariables: readonly string[],
  ) {}

  /** @throws Error when the class carries no `@ConfigSection`, or its file was imported after the settings were loaded. */
  section<T extends object>(type: SectionClass<T>): T {
    const section = this.sections.get(type);
    if (section === undefined) throw new Error(`${type.name} is not part of the settings`);
    return section as T;
  }

  /** Every text in a setting marked `@Secret()`, and the passwords of those that are URLs: what no log line may hold. */
  secrets(): string[] {
    return [...new Set([...this.sections.values()].flatMap(secretTexts))];
  }
}

function secretTexts(section: object): string[] {
  return Object.entries(section).flatMap(([property, value]: [string, unknown]) => {
    if (isSecret(section, property)) return textsOf(value).flatMap((text) => [text, ...passwordsOf(text)]);
    return isMap(value) ? secretTexts(value) : [];
  });
}

const textsOf = (value: unknown): string[] =>
  typeof value === 'string' ? [value] : Array.isArray(value) ? (value as unknown[]).flatMap(textsOf) : [];

const passwordsOf = (text: string): string[] =>
  text.split(',').flatMap((url) => {
    const password = URL.canParse(url.trim()) ? new URL(url.trim()).password : '';
    return password === '' ? [] : [password, decodeURIComponent(password)];
  });

/** Beside `src` as well as beside `dist`: the working folder does not matter. */
export const DEFAULTS_FILE = join(__dirname, '..', '..', 'config', 'default.yaml');

/**
 * Reads config/default.yaml, then each file of CONFIG_FILE (by commas, later ones win), then the environment, and validates
 * all sections that are imported.
 * @throws ConfigError naming everything that is wrong at once.
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env, program: Program = GATEWAY): Settings {
  const readDefaults = (): SettingMap => parse(readFileSync(DEFAULTS_FILE, 'utf8')) as SettingMap;
  const defaults = readDefaults();
  const tree = readDefaults();
  const origins: Origins = new Map();
  const files = (env['CONFIG_FILE'] ?? '').split(',').filter((file) => file.trim() !== '');
  const problems = files.flatMap((file) => applyFile(tree, defaults, file.trim(), origins));
  applyEnvironment({ tree, defaults, origins }, env, program);

  const sections = new Map<SectionClass, object>();
  for (const [path, type] of configSections()) {
    const values = valueAt(tree, path);
    const section = plainToInstance(type, isMap(values) ? values : {});
    const errors = validateSync(section, { whitelist: true, stopAtFirstError: false });
    problems.push(...errors.flatMap((error) => describe(error, path, origins)));
    sections.set(type, deepFreeze(section));
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return new Settings(sections, unknownVariables(defaults, env));
}

/** `hookServer.port is "x" (from PORT); allowed: an integer from 0 to 65535`. */
function describe(error: ValidationError, prefix: string, origins: Origins): string[] {
  const path = prefix === '' ? error.property : `${prefix}.${error.property}`;
  const inner = (error.children ?? []).flatMap((child) => describe(child, path, origins));
  if (error.constraints === undefined) return inner;
  const secret = error.target !== undefined && isSecret(error.target, error.property);
  const shown = secret && error.value !== undefined && error.value !== null ? '***' : (JSON.stringify(error.value) ?? 'missing');
  const origin = origins.get(path);
  return [`${path} is ${shown}${origin === undefined ? '' : ` (from ${origin})`}; allowed: ${allowedValues(error)}`, ...inner];
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
