import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PRESETS } from './presets';
import { presetsPage } from './presets-page';

it('docs/presets.md is up to date: run `npm run docs:generate`', () => {
  expect(readFileSync(join(__dirname, '../../docs/presets.md'), 'utf8')).toBe(presetsPage());
});

it('says of every preset how its events are named and known', () => {
  for (const { type, reading, verifies } of PRESETS) {
    expect({ type, known: [reading.eventType, reading.dedupeKey, verifies].every((text) => text.length > 3) }).toEqual({
      type,
      known: true,
    });
  }
});
