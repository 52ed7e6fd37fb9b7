import { readFileSync } from 'node:fs';
import { type Document, type Scalar, isAlias, isMap as isYamlMap, isScalar, isSeq, parseDocument } from 'yaml';
import { type SettingMap, type SettingValue, convertText, isMap, leavesOf, setAt, valueAt } from './setting-tree';

/** Which layer a setting came from, by its path. */
export type Origins = Map<string, string>;

/**
 * Lays a YAML or JSON file over the settings.
 * @returns One line for each thing in it that cannot be: unreadable file, unknown setting (a typo), value where a section stands.
 */
export function applyFile(tree: SettingMap, defaults: SettingMap, file: string, origins: Origins): string[] {
  let root: SettingValue;
  try {
    const document = parseDocument(readFileSync(file, 'utf8'));
    const [error] = document.errors;
    if (error) return [`CONFIG_FILE ${file}: ${error.message.split('\n')[0]}`];
    root = plainOf(document.contents, document);
  } catch (error) {
    return [`CONFIG_FILE ${file}: cannot be read (${(error as Error).message})`];
  }
  if (root === null) return [];
  if (!isMap(root)) return [`CONFIG_FILE ${file}: must be a map of settings`];
  return overlay({ tree, defaults, file, origins }, root, '');
}

interface Target {
  tree: SettingMap;
  defaults: SettingMap;
  file: string;
  origins: Origins;
}

/** Older files name a server's version between a section and its settings. */
const NESTED: ReadonlySet<string> = new Set(['elasticsearch.v6.5']);

function overlay(target: Target, values: SettingMap, prefix: string): string[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    if (NESTED.has(path)) return isMap(value) ? overlay(target, value, prefix) : [`${path}: allowed: a map of settings`];
    const like = valueAt(target.defaults, path);
    if (like === undefined) return [`${path}: unknown setting in ${target.file}${hint(target.defaults, path)}`];
    if (!isMap(like) || Object.keys(like).length === 0) {
      setAt(target.tree, path, typeof value === 'string' ? convertText(value, like) : convertList(value, like));
      target.origins.set(path, target.file);
      return [];
    }
    if (value === null) return [];
    return isMap(value) ? overlay(target, value, path) : [`${path}: is a section in ${target.file}; allowed: a map of settings`];
  });
}

function convertList(value: SettingValue, like: SettingValue): SettingValue {
  if (!Array.isArray(value) || !Array.isArray(like)) return value;
  const element = (like as readonly SettingValue[])[0] ?? '';
  return (value as readonly SettingValue[]).map((item) => (typeof item === 'string' ? convertText(item, element) : item));
}

/** The setting that was probably meant. */
function hint(defaults: SettingMap, path: string): string {
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9.]/g, '');
  const last = (text: string): string => text.slice(text.lastIndexOf('.') + 1);
  const known = leavesOf(defaults).map(([leaf]) => leaf);
  const meant = known.find((leaf) => plain(leaf) === plain(path)) ?? known.find((leaf) => plain(last(leaf)) === plain(last(path)));
  return meant === undefined ? '' : `, did you mean ${meant}?`;
}

/** Numbers and booleans stay the text that was written, so that an id of 20 digits keeps each of them. */
function plainOf(node: unknown, document: Document): SettingValue {
  if (isAlias(node)) return plainOf(node.resolve(document), document);
  if (isYamlMap(node)) {
    const map = Object.create(null) as SettingMap;
    for (const { key, value } of node.items) map[keyOf(key)] = plainOf(value, document);
    return map;
  }
  if (isSeq(node)) return node.items.map((item) => plainOf(item, document));
  if (!isScalar(node) || node.value === null || node.value === undefined) return null;
  return textOf(node);
}

/** A phone number without quotes would be a number, and lose its plus. */
const keyOf = (key: unknown): string => (isScalar(key) ? textOf(key) : String(key));

const textOf = ({ value, source }: Scalar): string => (typeof value === 'string' ? value : (source ?? JSON.stringify(value)));
