import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../support/build';
import { eventually } from '../support/eventually';
import { ADMIN_KEY, Gateway } from '../support/gateway';
import { freePorts } from '../support/services/processes';

/** The commands of the README's first webhook, with the addresses and keys of this test in place of the README's. */
async function firstWebhookCommands(gateway: Gateway, receiverPort: number): Promise<string> {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  const marked = /first-webhook:begin[\s\S]*?```sh\n([\s\S]*?)```\s*<!-- first-webhook:end/.exec(readme);
  if (marked?.[1] === undefined) throw new Error('README.md has no marked block of first commands');
  return marked[1]
    .replaceAll('http://127.0.0.1:8069', gateway.url)
    .replaceAll('127.0.0.1:9000', `127.0.0.1:${receiverPort}`)
    .replaceAll('an-admin-key-for-a-first-try-32chars', ADMIN_KEY)
    .replaceAll('receiver.mjs $SECRET', `receiver.mjs $SECRET ${receiverPort}`);
}

/** The body of the README's own published event. */
async function publishedBody(): Promise<string> {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  const body = /api\/v1\/events [\s\S]*?-d '(.*)'/.exec(readme)?.[1];
  if (body === undefined) throw new Error('README.md publishes no event');
  return body;
}

describe('the README', () => {
  let gateway: Gateway;
  let shell: ChildProcess | undefined;

  beforeAll(async () => {
    gateway = await Gateway.ready({ env: { HOOK_SERVER_FACEBOOK_APP_SECRET: 'my-app-secret' } });
  });

  afterAll(async () => {
    // The whole group: the receiver runs in the background of the shell.
    if (shell?.pid !== undefined) process.kill(-shell.pid, 'SIGKILL');
    await gateway.remove();
  });

  it('has commands that bring a first signed webhook to a receiver', async () => {
    const [receiverPort = 0] = await freePorts(1);
    const commands = await firstWebhookCommands(gateway, receiverPort);
    let output = '';
    shell = spawn('bash', ['-e', '-o', 'pipefail', '-c', `${commands}\nwait`], { cwd: ROOT, detached: true });
    shell.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    shell.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));

    await eventually('eight verified events', () => (output.match(/verified facebook\./g) ?? []).length === 8).catch((error: Error) => {
      throw new Error(`${error.message}\n${output}`);
    });
    expect(output).toContain('EVENT_RECEIVED');
    expect(output).not.toContain('refused');
    const { body } = await gateway.call('GET', '/api/v1/ledger');
    expect(body.total).toMatchObject({ accepted: 9, duplicate: 1 });

    await gateway.call('POST', '/api/v1/events', await publishedBody());
    await eventually('the number, digit for digit', () => output.includes('"order": 12345678901234567890'));
  });
});
