import { ENGINE_SETS, type Engines, acquireEngines } from '../support/engines';
import { eventually } from '../support/eventually';
import { batchOf, newMessageId, signatureOf } from '../support/facebook-sender';
import { APP_SECRET, type ApiAnswer, Gateway } from '../support/gateway';

const KILLS = 4;
const REQUESTS = 40;
const ITEMS = 5;

describe.each(ENGINE_SETS)('what is said while the gateway is killed, on %s', (set) => {
  let engines: Engines;
  let gateway: Gateway;

  beforeAll(async () => {
    engines = await acquireEngines(set);
    gateway = await Gateway.ready({ ...engines.options, env: { HOOK_SERVER_FACEBOOK_APP_SECRET: APP_SECRET } });
  });
  afterAll(async () => {
    await gateway?.remove();
    await engines?.release();
  });

  /** Whether it was accepted. */
  const send = async (body: string): Promise<boolean> => {
    const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signatureOf(body) };
    try {
      return (await fetch(`${gateway.url}/facebook`, { method: 'POST', headers, body })).ok;
    } catch {
      return false;
    }
  };

  /** All texts of the page's one conversation. */
  const texts = async (): Promise<string[]> => {
    const found: string[] = [];
    for (let page: string | null = ''; page !== null;) {
      const { status, body }: ApiAnswer = await gateway.get(`/api/v1/threads/facebook:111111:USER_1?limit=200${page}`);
      if (status === 404) return [];
      found.push(...body.statements.map(({ text }: { text: string }) => text));
      page = body.nextCursor === null ? null : `&cursor=${encodeURIComponent(body.nextCursor)}`;
    }
    return found.sort();
  };

  it(`is kept once, after ${KILLS} kills in the midst of it`, async () => {
    const said: string[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const bodies = Array.from({ length: REQUESTS }, () => {
        const text = newMessageId();
        said.push(text, ...Array.from({ length: ITEMS - 1 }, () => text));
        return batchOf(Array.from({ length: ITEMS }, newMessageId), '111111', text);
      });
      let answered = 0;
      const results = bodies.map(async (body) => {
        const isAccepted = await send(body);
        answered += 1;
        return isAccepted;
      });
      // Later with each kill, so that each step from the door to the store is met.
      await eventually('some are accepted', () => answered >= 1 + kill * 12, { everyMs: 1 });
      await gateway.kill();
      const accepted = await Promise.all(results);
      gateway.start();
      await gateway.becomesReady();
      // As a platform does.
      for (const [index, body] of bodies.entries()) {
        if (!accepted[index]) await eventually('it is accepted', () => send(body));
      }
    }
    await gateway.settled();
    await eventually('all is written', async () => (await texts()).length >= said.length, { deadlineMs: 60_000 });
    expect(await texts()).toEqual(said.sort());
    // Nothing is on its way that would come again.
    await gateway.terminate();
    gateway.start();
    await gateway.becomesReady();
    expect(await texts()).toHaveLength(said.length);
  }, 180_000);
});
