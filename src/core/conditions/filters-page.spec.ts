import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCondition } from './parse-condition';

const page = readFileSync(join(__dirname, '../../../docs/filters.md'), 'utf8');
const [, example] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
const rows = [...page.matchAll(/^\| `(\{.*\})`\s*\| (yes|no)\s*\|$/gm)].map(([, where, answer]) => ({ where, answer }));

describe('docs/filters.md', () => {
  it('has examples', () => {
    expect(rows.length).toBeGreaterThan(20);
  });

  it.each(rows)('$where matches: $answer', ({ where, answer }) => {
    const event = { accountId: 'default', context: null, ...JSON.parse(example as string) };
    const condition = parseCondition(JSON.parse(where as string), []);
    expect(condition?.holds(event)).toBe(answer === 'yes');
  });
});
