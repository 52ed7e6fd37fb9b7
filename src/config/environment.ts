import type { Origins } from './config-file';
import { type SettingMap, type SettingValue, convertText, leavesOf, setAt, variableOf } from './setting-tree';

/** Short names of settings that are set often; they win over the variable that the path spells. */
export const SHORT_NAMES: Readonly<Record<string, string>> = {
  PORT: 'hookServer.port',
  HOST: 'hookServer.host',
  PUBLIC_URL: 'hookServer.publicUrl',
  DATA_DIR: 'dataDir',
  LOG_LEVEL: 'logLevel',
  ADMIN_KEY: 'auth.adminKey',
  RABBITMQ_URL: 'broker.url',
  DATABASE_URL: 'database.url',
  ELASTICSEARCH_URL: 'elasticsearch.url',
  EGRESS_ALLOW: 'egress.allow',
  TARGET_URL: 'affinity.targetUrl',
  BOT_PERSONID: 'affinity.botPersonId',
};

/** A program of ours, by what the environment means to it. */
export interface Program {
  shortNames: Readonly<Record<string, string>>;
  /** Settings that it cannot do without; they win over everything. */
  always: Readonly<Record<string, SettingValue>>;
}

export const GATEWAY: Program = { shortNames: SHORT_NAMES, always: {} };

/** `npm run affinity`: the affinity proxy without the gateway. */
export const AFFINITY_PROXY: Program = { shortNames: { ...SHORT_NAMES, PORT: 'affinity.port' }, always: { 'affinity.enabled': true } };

/** Lays the environment over the settings. A variable that is empty counts as not set. */
export function applyEnvironment(
  { tree, defaults, origins }: { tree: SettingMap; defaults: SettingMap; origins: Origins },
  env: NodeJS.ProcessEnv,
  program: Program,
): void {
  const shortOf = new Map(Object.entries(program.shortNames).map(([name, path]) => [path, name]));
  for (const [path, like] of leavesOf(defaults)) {
    const name = [shortOf.get(path), variableOf(path)].find((candidate) => candidate !== undefined && (env[candidate] ?? '') !== '');
    if (name === undefined) continue;
    setAt(tree, path, convertText(env[name] as string, like));
    origins.set(path, name);
  }
  for (const [path, value] of Object.entries(program.always)) setAt(tree, path, value);
}

/** Variables that look like settings of the server and are none: typos, most likely. */
export function unknownVariables(defaults: SettingMap, env: NodeJS.ProcessEnv): string[] {
  const known = new Set(leavesOf(defaults).map(([path]) => variableOf(path)));
  return Object.keys(env).filter((name) => name.startsWith('HOOK_SERVER_') && !known.has(name));
}
