import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../support/build';
import { ENGINE_SETS, type Engines, acquireEngines } from '../support/engines';
import { eventually } from '../support/eventually';
import { ADMIN_KEY, Gateway } from '../support/gateway';
import { execute } from '../support/services/processes';

describe.each(ENGINE_SETS)('the README’s token webhook on %s', (set) => {
  let engines: Engines;
  let gateway: Gateway;

  beforeAll(async () => {
    engines = await acquireEngines(set);
    gateway = await Gateway.ready(engines.options);
  });

  afterAll(async () => {
    await gateway.remove();
    await engines.release();
  });

  it('is made, checked and sent to by its commands', async () => {
    const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
    const marked = /token-webhook:begin[\s\S]*?```sh\n([\s\S]*?)```\s*<!-- token-webhook:end/.exec(readme)?.[1];
    if (marked === undefined) throw new Error('README.md has no marked block of token webhooks');
    const commands = marked.replaceAll('http://127.0.0.1:8069', gateway.url).replaceAll('an-admin-key-for-a-first-try-32chars', ADMIN_KEY);
    const folder = await mkdtemp(join(tmpdir(), 'hookline-readme-'));
    const { stdout } = await execute('bash', ['-e', '-o', 'pipefail', '-c', commands], { cwd: folder });
    await rm(folder, { recursive: true });
    expect(stdout).toMatch(/"hookUrl":"https:\/\/webhook\.mydomain\.example\/wh\/[^"]+"}\n?200\n204\n$/);

    const [event] = await eventually('the event', async () => {
      const { data } = await gateway.must(200, 'GET', '/api/v1/events?application=github&eventType=push');
      return data.length === 1 && data;
    });
    expect(event.timestamp).toBe('2026-01-02T01:04:05.000Z');
  });
});
