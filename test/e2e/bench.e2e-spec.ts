import { BENCHES } from '../../bench/benches';
import type { FigureLine } from '../../bench/bench';
import { ROOT } from '../support/build';
import { execute } from '../support/services/processes';

/** Figures of a run this small say nothing: what is tested is that each bench still runs, and prints what docs/benchmarks.md lists. */
it('every bench prints its figures', async () => {
  const { stdout } = await execute('npm', ['run', '--silent', 'bench', '--', '--only=all', '--scale=0.01', '--rounds=1'], { cwd: ROOT });
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as FigureLine);

  expect(lines.map(({ name }) => name)).toEqual(BENCHES.flatMap(({ names }) => names));
  const numbers = lines.flatMap(({ value, limit, ratio }) => [value, limit, ratio]);
  expect(numbers.filter((number) => !Number.isFinite(number) || number < 0)).toEqual([]);
}, 300_000);

it('a figure that is not known is told, with those that are', async () => {
  const failed = execute('npm', ['run', '--silent', 'bench', '--', '--only=speed'], { cwd: ROOT });
  await expect(failed).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('No figure is called speed; there are ingest,') as string,
  });
}, 120_000);
