/** A value of config/default.yaml, as YAML reads it. */
export type SettingValue = string | number | boolean | null | readonly SettingValue[] | SettingMap;
export interface SettingMap {
  [key: string]: SettingValue;
}

export const isMap = (value: unknown): value is SettingMap => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A map that is empty by default is one setting of free shape; any other map is a section. */
const isSection = (value: unknown): value is SettingMap => isMap(value) && Object.keys(value).length > 0;

/** Every setting with its path (`hookServer.facebook.spamThreshold`), in the order of the file. */
export function leavesOf(tree: SettingMap, prefix = ''): [path: string, value: SettingValue][] {
  return Object.entries(tree).flatMap(([key, value]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    return isSection(value) ? leavesOf(value, path) : [[path, value] as [string, SettingValue]];
  });
}

/** `hookServer.facebook.spamThreshold` is set by HOOK_SERVER_FACEBOOK_SPAM_THRESHOLD. */
export const variableOf = (path: string): string =>
  path
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[.-]/g, '_')
    .toUpperCase();

export function valueAt(tree: SettingMap, path: string): SettingValue | undefined {
  if (path === '') return tree;
  return path
    .split('.')
    .reduce<SettingValue | undefined>((node, key) => (isMap(node) && Object.hasOwn(node, key) ? node[key] : undefined), tree);
}

/** Sets a leaf whose path is known to be in the tree. */
export function setAt(tree: SettingMap, path: string, value: SettingValue): void {
  const keys = path.split('.');
  const last = keys.pop() as string;
  const parent = valueAt(tree, keys.join('.'));
  if (isMap(parent)) parent[last] = value;
}

/**
 * Text as a setting of the default's type: numbers, `true` and `false`, lists by commas, a map of free shape as JSON. Text that is
 * none of its type stays text, for validation to name it.
 */
export function convertText(text: string, like: SettingValue): SettingValue {
  if (typeof like === 'number') return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
  if (typeof like === 'boolean') return booleanOf(text.trim().toLowerCase()) ?? text;
  if (Array.isArray(like)) {
    const element = (like as readonly SettingValue[])[0] ?? '';
    return text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map((part) => convertText(part, element));
  }
  return isMap(like) ? (mapOf(text) ?? text) : text;
}

function mapOf(text: string): SettingMap | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isMap(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function booleanOf(text: string): boolean | undefined {
  if (text === 'true' || text === '1') return true;
  return text === 'false' || text === '0' ? false : undefined;
}
