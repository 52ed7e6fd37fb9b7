import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt, ROOT } from '../support/build';
import { Gateway } from '../support/gateway';

const names = readdirSync(join(ROOT, 'src', 'channels'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

/** Where Node still finds the packages. */
const BUILDS = join(ROOT, 'node_modules', '.cache', 'hookline', 'without-a-channel');

/** The built program without the channel's folder and its line. @returns its main file. */
function buildWithout(name: string): string {
  const folder = join(BUILDS, name);
  for (const part of ['dist', 'config', 'package.json']) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  rmSync(join(folder, 'dist', 'channels', name), { recursive: true });
  const appModule = join(folder, 'dist', 'app.module.js');
  const lines = readFileSync(appModule, 'utf8').split('\n');
  writeFileSync(appModule, lines.filter((line) => !line.includes(`${name}_module_1`)).join('\n'));
  return join(folder, 'dist', 'main.js');
}

beforeAll(() => ensureBuilt());
afterAll(() => rmSync(BUILDS, { recursive: true, force: true }));

it.each(names)('starts without the channel %s, and all others are there', async (name) => {
  const gateway = await Gateway.ready({ main: buildWithout(name), env: { HOOK_SERVER_TWITTER_ENABLED: 'true' } });
  try {
    for (const channel of names) {
      const { status } = await gateway.call('GET', `/api/v1/channels/${channel}`);
      expect([channel, status]).toEqual([channel, channel === name ? 404 : 200]);
      const door = await gateway.call('POST', `/${channel}`, 'x', { 'content-type': 'text/plain' });
      expect([channel, door.status]).toEqual([channel, channel === name ? 404 : 415]);
    }
    expect((await gateway.terminate())?.code).toBe(0);
  } finally {
    await gateway.remove();
  }
});
