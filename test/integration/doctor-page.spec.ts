import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../support/build';
import { ADMIN_KEY } from '../support/gateway';
import { execute } from '../support/services/processes';
import { RestApp } from './rest-app';

let app: RestApp;

beforeAll(async () => void (app = await RestApp.start()));
afterAll(() => app.close());

it('docs/diagnosis.md leads from a refusal to its event', async () => {
  const page = await readFile(join(ROOT, 'docs', 'diagnosis.md'), 'utf8');
  const block = /## From a refusal to its event\n[^#]*?```sh\n([\s\S]*?)```/.exec(page)?.[1];
  if (block === undefined) throw new Error('docs/diagnosis.md has no commands under "From a refusal to its event"');
  const commands = block.replaceAll('http://127.0.0.1:8069', app.url).replaceAll('an-admin-key-for-a-first-try-32chars', ADMIN_KEY);
  const folder = await mkdtemp(join(tmpdir(), 'hookline-diagnosis-'));
  const { stdout } = await execute('bash', ['-e', '-o', 'pipefail', '-c', commands], { cwd: folder });
  await rm(folder, { recursive: true });
  expect(stdout).toBe('401\n"cause":"secret_unknown"\n"cause":"mended"\n200\n');
});
