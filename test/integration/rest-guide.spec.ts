import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ADMIN_KEY } from '../support/gateway';
import { Receiver } from '../support/receiver';
import { RestApp } from './rest-app';

describe('docs/api.md', () => {
  let app: RestApp;
  let receiver: Receiver;
  let folder: string;

  beforeAll(async () => {
    [app, receiver, folder] = await Promise.all([RestApp.start(), Receiver.start(), mkdtemp(join(tmpdir(), 'hookline-guide-'))]);
    receiver.answer = () => ({ status: 500 });
  });

  afterAll(async () => {
    await app?.close();
    await receiver?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('has commands that all succeed', async () => {
    const guide = await readFile(join(__dirname, '../../docs/api.md'), 'utf8');
    const blocks = [...guide.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] as string);
    expect(blocks.length).toBeGreaterThan(10);
    const commands = blocks
      .join('\n')
      .replaceAll('http://127.0.0.1:8069', app.url)
      .replaceAll('an-admin-key-for-a-first-try-32chars', ADMIN_KEY)
      .replaceAll('http://127.0.0.1:9000/hooks', receiver.url);
    const shell = spawn('bash', ['-eu', '-o', 'pipefail', '-c', commands], { cwd: folder });
    let output = '';
    for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const [code] = (await once(shell, 'close')) as [number | null];
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('12345678901234567890') });
    expect(receiver.received[0]?.body.toString()).toContain('"data":{"order": 12345678901234567890}');
  });
});
