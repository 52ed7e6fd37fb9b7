import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CAUSES } from './trial';

it('docs/diagnosis.md lists every cause', () => {
  const page = readFileSync(join(__dirname, '../../../docs/diagnosis.md'), 'utf8');
  const table = page.slice(page.indexOf('## Causes'), page.indexOf('`certain`'));
  const listed = table.split('\n').flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, cause]) => cause));
  expect(listed.sort()).toEqual([...CAUSES].sort());
});
