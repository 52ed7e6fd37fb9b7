import { Gateway } from '../support/gateway';
import { StickyBots } from '../support/sticky-bots';

let gateway: Gateway | undefined;
let bots: StickyBots;

beforeAll(async () => {
  bots = await StickyBots.start();
});
afterEach(() => gateway?.remove());
afterAll(() => bots.stop());

it.each(['start', 'affinity'] as const)(
  'SIGTERM to `npm run %s` stops the program as SIGTERM to it does, and npm ends with it',
  async (script) => {
    gateway = await Gateway.ready({ script, env: { TARGET_URL: bots.url } });
    expect(await gateway.terminate()).toEqual({ code: 0, signal: null });
    expect(gateway.log).toMatch(/SIGTERM: shutting down[\s\S]*Done/);
  },
);
