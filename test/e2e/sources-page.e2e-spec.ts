import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PRESETS } from '../../src/presets/presets';
import { ROOT } from '../support/build';
import { ENGINE_SETS, type Engines, acquireEngines } from '../support/engines';
import { eventually } from '../support/eventually';
import { ADMIN_KEY, Gateway } from '../support/gateway';
import { execute } from '../support/services/processes';

it('the README counts the presets', async () => {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  expect(readme).toContain(`one of ${String(PRESETS.length)} [presets]`);
});

describe.each(ENGINE_SETS)('the source of docs/sources.md on %s', (set) => {
  let engines: Engines;
  let gateway: Gateway;

  beforeAll(async () => {
    engines = await acquireEngines(set);
    gateway = await Gateway.ready(engines.options);
  });
  afterAll(async () => {
    await gateway?.remove();
    await engines?.release();
  });

  it('is made and sent to by the page’s commands', async () => {
    const page = await readFile(join(ROOT, 'docs', 'sources.md'), 'utf8');
    const block = /## Make one\n\n```sh\n([\s\S]*?)```/.exec(page)?.[1];
    if (block === undefined) throw new Error('docs/sources.md has no commands under "Make one"');
    const commands = block.replaceAll('http://127.0.0.1:8069', gateway.url).replaceAll('an-admin-key-for-a-first-try-32chars', ADMIN_KEY);
    const folder = await mkdtemp(join(tmpdir(), 'hookline-sources-'));
    const { stdout } = await execute('bash', ['-e', '-o', 'pipefail', '-c', commands], { cwd: folder });
    await rm(folder, { recursive: true });
    expect(stdout).toBe('200\n');
    const [event] = await eventually('the event', async () => {
      const { data } = await gateway.must(200, 'GET', '/api/v1/events?application=repository&eventType=push');
      return data.length === 1 && data;
    });
    expect(event.accountId).toBe('default');
  });
});
