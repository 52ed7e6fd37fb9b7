import { parse } from 'yaml';
import { SHORT_NAMES } from './environment';
import { type SettingMap, type SettingValue, leavesOf, variableOf } from './setting-tree';

const HEAD = `# Every setting as an environment variable, with its default. Generated from config/default.yaml by \`npm run docs:generate\`.
# Lists are separated by commas. An empty variable counts as not set.
# A copy named .env is read by \`docker compose\`; elsewhere start with \`node --env-file=.env dist/main.js\`.

# YAML or JSON files of settings, by commas, later ones win; the environment wins over them.
#CONFIG_FILE=
`;

/** The text of .env.example. @param defaults The text of config/default.yaml. */
export function envExample(defaults: string): string {
  const comments = commentsOf(defaults);
  const shortOf = new Map(Object.entries(SHORT_NAMES).map(([name, path]) => [path, name]));
  const entries = leavesOf(parse(defaults) as SettingMap).map(([path, value]) => {
    const name = variableOf(path);
    const short = shortOf.get(path);
    const also = short === undefined || short === name ? [] : [`# Also ${name}.`];
    return [...(comments.get(path) ?? []), ...also, `#${short ?? name}=${textOf(value)}`].join('\n');
  });
  return `${[HEAD.trimEnd(), ...entries].join('\n\n')}\n`;
}

/** The comment lines above each key, by its path. */
export function commentsOf(yaml: string): Map<string, string[]> {
  const comments = new Map<string, string[]>();
  const parents: string[] = [];
  let above: string[] = [];
  for (const line of yaml.split('\n')) {
    const [, indent = '', comment, key] = /^( *)(?:(#.*)|([\w-]+):(?: .*)?$)/.exec(line) ?? [];
    if (comment !== undefined) {
      above.push(comment);
      continue;
    }
    if (key !== undefined) {
      parents.length = indent.length / 2;
      parents.push(key);
      if (above.length > 0) comments.set(parents.join('.'), above);
    }
    above = [];
  }
  return comments;
}

const textOf = (value: SettingValue): string => {
  if (value === null) return '';
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};
