import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { preProcessFile } from 'typescript';
import { ROOT } from '../../support/build';

const CHANNELS = join(ROOT, 'src', 'channels');
const APP_MODULE = join('src', 'app.module.ts');

const names = readdirSync(CHANNELS, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

/** Every file of the program and its benches, with the files and folders that it imports, from the project's folder on. */
const imports = ['src', 'bench', 'scripts'].flatMap((top) =>
  readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[jt]s$/.test(name))
    .flatMap((name) => {
      const file = join(ROOT, top, name);
      const { importedFiles } = preProcessFile(readFileSync(file, 'utf8'), true, true);
      return importedFiles
        .filter(({ fileName }) => fileName.startsWith('.'))
        .map(({ fileName }) => ({ from: relative(ROOT, file), to: relative(ROOT, resolve(dirname(file), fileName)) }));
    }),
);

it.each(names)('%s is its folder and one line of app.module.ts', (name) => {
  const folder = join('src', 'channels', name) + sep;
  const users = imports.filter(({ from, to }) => to.startsWith(folder) && !from.startsWith(folder));
  expect(users).toEqual([{ from: APP_MODULE, to: `${folder}${name}.module` }]);
});

it.each(names)('%s has the same files as every channel, its page and its descriptor', (name) => {
  const files = readdirSync(join(CHANNELS, name));
  const parts = ['module', 'controller', 'signature', 'parser', 'config'].map((part) => `${name}.${part}.ts`);
  expect(files).toEqual(expect.arrayContaining(parts));
  expect(readdirSync(join(ROOT, 'docs', 'channels'))).toContain(`${name}.md`);
  expect(readdirSync(__dirname)).toContain(`${name}.channel.spec.ts`);
});
