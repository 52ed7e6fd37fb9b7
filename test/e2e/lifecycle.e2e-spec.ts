import { existsSync, readdirSync } from 'node:fs';
import { acquireEngines, ENGINE_SETS, type Engines } from '../support/engines';
import { eventually } from '../support/eventually';
import { FacebookSender, newMessageId } from '../support/facebook-sender';
import { Gateway } from '../support/gateway';
import { nothingIsLost } from '../support/outage';
import { Receiver } from '../support/receiver';

describe.each(ENGINE_SETS)('Starting and stopping on %s', (set) => {
  let engines: Engines;
  let gateway: Gateway;
  let receiver: Receiver;
  let sender: FacebookSender;

  beforeAll(async () => {
    [engines, receiver] = await Promise.all([acquireEngines(set), Receiver.start()]);
    gateway = await Gateway.ready(engines.options);
    const { secret } = await gateway.subscribe(receiver.url);
    receiver.secrets = [secret];
    sender = new FacebookSender(gateway.url);
  });
  afterAll(async () => {
    await sender?.close();
    await gateway?.remove();
    await receiver?.stop();
    await engines?.release();
  });

  it('SIGTERM under load finishes what is under way, exits 0 and loses nothing', async () => {
    receiver.answer = () => ({ status: 200, delayMs: 100 });
    for (let round = 0; round < 3; round++) {
      sender.startLoad({ requestsPerSecond: 100, parallel: 20, itemsPerRequest: 3 });
      const enough = receiver.received.length + 60;
      await eventually('deliveries are under way', () => receiver.received.length > enough);
      expect(await gateway.terminate()).toEqual({ code: 0, signal: null });
      await sender.stopLoad();
      gateway.start();
      await gateway.becomesReady();
    }
    await nothingIsLost(sender, receiver);
    await gateway.drained();
    expect(sender.accepted.size).toBeGreaterThan(150);
    expect(receiver.received.every((request) => request.verified)).toBe(true);
    // What was under way was finished and recorded before the end: nothing came twice.
    expect(new Set(receiver.received.map((request) => request.id)).size).toBe(receiver.received.length);
    const log = gateway.log;
    expect(log).not.toMatch(/unhandled/i);
  });

  it('turns not ready first, and serves on for shutdownDelayMs', async () => {
    await gateway.terminate();
    gateway.start({ HOOK_SERVER_SHUTDOWN_DELAY_MS: '3000' });
    await gateway.becomesReady();
    const ended = gateway.terminate();
    await gateway.answers('/health/ready', 503);
    expect((await gateway.get('/health/live')).status).toBe(200);
    expect((await sender.send([newMessageId()])).status).toBe(200);
    expect(await ended).toEqual({ code: 0, signal: null });
    // Lines of the modules, not only of the program itself.
    expect(gateway.log).toMatch(/SIGTERM: shutting down[\s\S]*Done/);
    gateway.start();
    await gateway.becomesReady();
  });

  it('a wrong setting ends the start with 78 and a line that says what is allowed', async () => {
    await gateway.terminate();
    gateway.start({ HOOK_SERVER_FACEBOOK_SPAM_THRESHOLD: 'many', PORT: '70000' });
    expect(await gateway.ends()).toEqual({ code: 78, signal: null });
    const lines = gateway.log.split('\n');
    expect(lines.filter((line) => line.includes('HOOK_SERVER_FACEBOOK_SPAM_THRESHOLD') || line.includes('spamThreshold'))).toHaveLength(1);
    expect(lines.filter((line) => /\bPORT\b|hookServer\.port/.test(line))).not.toHaveLength(0);
    gateway.start();
    await gateway.becomesReady();
  });
});

describe('SIGTERM during the very first start', () => {
  it.each<[string, (gateway: Gateway) => boolean]>([
    ['before the application is made', ({ dataFolder }) => existsSync(dataFolder)],
    [
      'once it has a file there',
      ({ dataFolder }) => existsSync(dataFolder) && readdirSync(dataFolder).some((name) => name.endsWith('.db')),
    ],
    ['once the application is made', ({ log }) => log.includes('Secrets are sealed')],
    ['once it listens', ({ log }) => log.includes('listens on')],
  ])('%s ends it with 0, and the next start works', async (_, isThen) => {
    const gateway = await Gateway.launch();
    try {
      await eventually('it is then', () => isThen(gateway), { everyMs: 1 });
      expect(await gateway.terminate()).toEqual({ code: 0, signal: null });
      expect(gateway.log).not.toMatch(/unhandled|Nobody handled|failed|^ +at /im);
      gateway.start();
      await gateway.becomesReady();
    } finally {
      await gateway.remove();
    }
  });
});

describe('Names that hang', () => {
  it('leave threads for others: sixteen may be looked up at once', async () => {
    const gateway = await Gateway.ready();
    try {
      await gateway.subscribe('http://a-name-that-needs-a-look-up.invalid/');
      // Half of the pool's threads may look up names; the pool is made at its first use, all threads at once.
      await eventually('the pool is made', () => readdirSync(`/proc/${gateway.pid}/task`).length > 32);
    } finally {
      await gateway.remove();
    }
  });
});

describe('A place to listen that does not work', () => {
  it('ends the start with 1 and one line that names the setting', async () => {
    const first = await Gateway.ready();
    const second = await Gateway.launch({ env: { PORT: String(first.port), ADMIN_KEY: '' } });
    const third = await Gateway.launch({ env: { HOST: '300.1.1.1' } });
    try {
      for (const [gateway, setting] of [
        [second, 'PORT'],
        [third, 'HOST'],
      ] as const) {
        expect(await gateway.ends()).toEqual({ code: 1, signal: null });
        const lines = gateway.log.split('\n').filter((line) => /listen|EADDRINUSE|ENOTFOUND|EAI_AGAIN|^ +at /.test(line));
        expect(lines).toEqual([expect.stringMatching(new RegExp(`^Cannot listen on .*: .*\\b${setting}\\b`))]);
      }
      // It was made, and is shown no other time.
      expect(second.log).toMatch(/^Admin key, shown this once: hk_\S+$/m);
    } finally {
      await Promise.all([first.remove(), second.remove(), third.remove()]);
    }
  });
});

describe('The data folder', () => {
  it('belongs to one process; a second one refuses to start, and the first is not disturbed', async () => {
    const first = await Gateway.ready();
    const second = await Gateway.launch({ env: { DATA_DIR: first.dataFolder } });
    try {
      const { code } = await second.ends();
      expect(code).not.toBe(0);
      expect(second.log).toContain(first.dataFolder);
      expect((await first.get('/health/ready')).status).toBe(200);
      await first.kill();
      second.start();
      await second.becomesReady(); // the system has dropped the lock
    } finally {
      await Promise.all([first.remove(), second.remove()]);
    }
  });
});
