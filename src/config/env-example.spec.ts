import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { commentsOf, envExample } from './env-example';
import { SHORT_NAMES } from './environment';
import { type SettingMap, leavesOf, variableOf } from './setting-tree';

const root = join(__dirname, '../..');
const defaults = readFileSync(join(root, 'config/default.yaml'), 'utf8');
const paths = leavesOf(parse(defaults) as SettingMap).map(([path]) => path);

it('.env.example is up to date: run `npm run docs:generate`', () => {
  expect(readFileSync(join(root, '.env.example'), 'utf8')).toBe(envExample(defaults));
});

it('every setting has a comment line above it, or its section has one', () => {
  const comments = commentsOf(defaults);
  expect(paths.filter((path) => !comments.has(path) && !comments.has(path.slice(0, path.lastIndexOf('.'))))).toEqual([]);
});

it('every setting has a variable of its own', () => {
  const names = [
    ...paths.map(variableOf),
    ...Object.entries(SHORT_NAMES).flatMap(([name, path]) => (variableOf(path) === name ? [] : [name])),
  ];
  expect(new Set(names).size).toBe(names.length);
});

it('every short name stands for a setting that exists', () => {
  expect(Object.values(SHORT_NAMES).filter((path) => !paths.includes(path))).toEqual([]);
});

it('takes comments by indentation and shows defaults', () => {
  const text = envExample('# Head.\n\na:\n  # One.\n  # Two.\n  bC: 1\n  # List.\n  d: [x, y]\nlogLevel: info\nsecret: null\n');
  expect(text).toContain('\n\n# One.\n# Two.\n#A_B_C=1\n\n# List.\n#A_D=x,y\n\n#LOG_LEVEL=info\n\n#SECRET=\n');
});
