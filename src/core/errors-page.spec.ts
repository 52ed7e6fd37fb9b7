import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERRORS } from './errors';
import { errorsPage } from './errors-page';

it('docs/errors.md is up to date: run `npm run docs:generate`', () => {
  expect(readFileSync(join(__dirname, '../../docs/errors.md'), 'utf8')).toBe(errorsPage());
});

it('names every code with its status', () => {
  for (const [code, { status }] of Object.entries(ERRORS))
    expect(errorsPage()).toMatch(new RegExp(`\\| \`${code}\` +\\| ${String(status)} `));
});
