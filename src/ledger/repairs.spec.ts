import { Logger } from '@nestjs/common';
import { Metrics } from '../metrics/metrics.service';
import { Repairs } from './repairs';

afterEach(() => jest.restoreAllMocks());

const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `e${index + 1}`);

it.each<[string, (repairs: Repairs) => void, string]>([
  ['of one source, many', (repairs) => repairs.made('door_uncounted', ['in:1'], 216), 'Repaired 216 × door_uncounted: in:1'],
  ['of one source, twice', (repairs) => [1, 2].forEach(() => repairs.made('door_missing', ['in:1'])), 'Repaired 2 × door_missing: in:1'],
  ['that there is room for', (repairs) => repairs.made('event_missing', ids(5)), 'Repaired 5 × event_missing: e1, e2, e3, e4, e5'],
  ['past that', (repairs) => repairs.made('event_missing', ids(6)), 'Repaired 6 × event_missing: e1, e2, e3, e4, e5, …'],
])('names what was mended %s', (_what, mend, line) => {
  const warned = jest.spyOn(Logger.prototype, 'warn').mockReturnValue();
  const repairs = new Repairs(new Metrics());
  mend(repairs);
  repairs.tell();
  expect(warned.mock.calls).toEqual([[line]]);
});
