import { sql } from 'kysely';
import { SessionExpiry } from '../../src/affinity/session-expiry';
import { SessionRows } from '../../src/affinity/session-rows';
import type { AffinityConfig } from '../../src/affinity/affinity.config';
import type { Storage } from '../../src/storage/storage';
import { ENGINES, type Place } from '../conformance/storage/engines';
import { eventually } from '../support/eventually';
import { Proxy, Target, event, jsonPost, raw } from './affinity-rig';

const NAME = 'heroku-session-affinity';
const UUID = 'a7d64c3e-4b2a-4d5e-9a3b-0c1d2e3f4a5b';
const URI = `ciscospark://us/PEOPLE/${UUID}`;
const SPELLINGS = [UUID, URI, Buffer.from(URI).toString('base64'), Buffer.from(URI).toString('base64url')];

describe.each(ENGINES)('sessions on $engine', (engine) => {
  let place: Place;
  let storage: Storage;
  let target: Target;
  let proxy: Proxy;
  const others: Proxy[] = [];

  beforeAll(async () => {
    place = await engine.place();
    storage = await place.open();
  });
  afterAll(async () => {
    await storage.close();
    await place.release();
  });
  beforeEach(async () => {
    await storage.db.deleteFrom('affinity_sessions').execute();
    target = await Target.start();
    proxy = await Proxy.start(storage, target.url);
  });
  afterEach(async () => {
    await Promise.all([proxy, ...others.splice(0)].map((each) => each.stop()));
    await target.stop();
  });

  const another = async (env: Record<string, string> = {}): Promise<Proxy> => {
    const started = await Proxy.start(storage, target.url, env);
    others.push(started);
    return started;
  };
  const sets = (...cookies: string[]): void => {
    target.answer = (_request, response) => response.writeHead(200, cookies.length > 0 ? { 'set-cookie': cookies } : {}).end();
  };
  /** Posts the actor's event; gives back the Cookie header that the target got. */
  const cookieOf = async (actor: string, through: Proxy = proxy, headers: string[] = []): Promise<string | undefined> => {
    await raw(through.port, jsonPost(event(actor), headers));
    return target.last.headers.cookie;
  };
  const rows = () => storage.db.selectFrom('affinity_sessions').selectAll().execute();

  it('bring an actor’s cookie back, and nobody else’s', async () => {
    sets('other=x', `${NAME}=one="1"/%41; Path=/; HttpOnly; Secure`);
    expect(await cookieOf('A')).toBeUndefined();
    sets();
    expect(await cookieOf('B')).toBeUndefined();
    expect(await cookieOf('A')).toBe(`${NAME}=one="1"/%41`);
    expect(target.last.headers.actorid).toBe('A');
  });

  it('leave other cookies as they are, and replace the client’s own of the name', async () => {
    sets(`${NAME}=kept`);
    await cookieOf('A');
    expect(await cookieOf('A', proxy, [`Cookie: a=1;  ${NAME}=forged; b="2;`, 'Cookie: x-heroku-session-affinity=z'])).toBe(
      `a=1; b="2; x-heroku-session-affinity=z; ${NAME}=kept`,
    );
  });

  it('follow the load balancer to another instance', async () => {
    sets(`${NAME}=one`);
    await cookieOf('A');
    sets(`${NAME}=two`, `${NAME}=three`);
    expect(await cookieOf('A')).toBe(`${NAME}=one`);
    sets();
    expect(await cookieOf('A')).toBe(`${NAME}=three`);
  });

  it.each([
    ['Max-Age=0', undefined],
    ['Max-Age=-1', undefined],
    ['Expires=Thu, 01 Jan 1970 00:00:00 GMT', undefined],
    ['Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT', `${NAME}=new`],
    ['Max-Age=0; Expires=Thu, 01 Jan 2099 00:00:00 GMT', undefined],
    ['Max-Age=soon', `${NAME}=new`],
  ])('with %s are then %s', async (attributes, expected) => {
    sets(`${NAME}=old`);
    await cookieOf('A');
    sets(`${NAME}=new; ${attributes}`);
    await cookieOf('A');
    sets();
    expect(await cookieOf('A')).toBe(expected);
    expect(await rows()).toHaveLength(expected === undefined ? 0 : 1);
  });

  it.each([
    ['Max-Age=120', 120_000],
    ['Max-Age=99999999999', 400 * 86_400_000],
    ['', 300_000],
  ])('are kept for as long as "%s" says', async (attributes, lifeMs) => {
    sets(`${NAME}=a; ${attributes}`);
    const before = Date.now();
    await cookieOf('A', await another({ AFFINITY_TTL: '300' }));
    const [row] = await rows();
    expect(row?.expires_at).toBeGreaterThanOrEqual(before + lifeMs);
    expect(row?.expires_at).toBeLessThanOrEqual(Date.now() + lifeMs);
  });

  it('are over when their time is, and are deleted', async () => {
    sets(`${NAME}=a`);
    await cookieOf('A');
    await cookieOf('B');
    sets();
    await storage.db
      .updateTable('affinity_sessions')
      .set({ expires_at: Date.now() - 1 })
      .execute();
    expect(await cookieOf('A')).toBeUndefined();
    sets(`${NAME}=b`);
    await cookieOf('A');
    const expiry = new SessionExpiry(storage, new SessionRows(storage), {} as AffinityConfig, proxy.metrics);
    await expiry.expire(Date.now());
    expect(await rows()).toHaveLength(1);
    expect(await cookieOf('A')).toBe(`${NAME}=b`);
  });

  it('are neither added nor kept for the bot itself, for nobody, or in header mode', async () => {
    sets(`${NAME}=a`);
    const [bot, byHeader] = [await another({ BOT_PERSONID: 'BOT' }), await another({ AFFINITY_MODE: 'header' })];
    await cookieOf('BOT', bot);
    expect(target.last.headers).not.toHaveProperty('actorid');
    await raw(bot.port, jsonPost('{}'));
    await cookieOf('A', byHeader);
    expect(target.last.headers.actorid).toBe('A');
    expect(await rows()).toEqual([]);
    await cookieOf('BOT');
    expect(await cookieOf('BOT', byHeader)).toBeUndefined();
    expect(await cookieOf('BOT', bot, [`Cookie: ${NAME}=own`])).toBe(`${NAME}=own`);
  });

  it.each(SPELLINGS)('are not kept for the bot, which webhooks and settings spell as they like: %s', async (spelling) => {
    sets(`${NAME}=a`);
    const bot = await another({ BOT_PERSONID: spelling });
    for (const actor of SPELLINGS) await cookieOf(actor, bot);
    expect(await rows()).toEqual([]);
    await cookieOf(`ciscospark://us/PEOPLE/${UUID.replace('a', 'b')}`, bot);
    expect(await rows()).toHaveLength(1);
  });

  it('are sealed in the table, without the actor', async () => {
    sets(`${NAME}=plain-value`);
    await cookieOf('the-actor');
    const text = JSON.stringify(await rows());
    expect(text).toContain('enc:v1:');
    expect(text).not.toMatch(/plain-value|the-actor/);
  });

  it('that no key opens are taken for none, and replaced', async () => {
    sets(`${NAME}=a`);
    await cookieOf('A');
    await storage.db.updateTable('affinity_sessions').set({ cookie: 'enc:v1:gone:AAAA' }).execute();
    sets(`${NAME}=b`);
    expect(await cookieOf('A')).toBeUndefined();
    expect(await cookieOf('A')).toBe(`${NAME}=b`);
  });

  it('are shared by proxies of one target, whoever moved the actor last', async () => {
    const second = await another();
    sets(`${NAME}=one`);
    await cookieOf('A');
    sets(`${NAME}=two`);
    expect(await cookieOf('A', second)).toBe(`${NAME}=one`);
    sets();
    expect(await cookieOf('A')).toBe(`${NAME}=two`);
    sets(`${NAME}=; Max-Age=0`);
    await cookieOf('A');
    sets();
    expect(await cookieOf('A', second)).toBeUndefined();
  });

  it('of another target are not those of this one', async () => {
    sets(`${NAME}=a`);
    await cookieOf('A');
    const stranger = await Target.start();
    const elsewhere = await Proxy.start(storage, stranger.url);
    await raw(elsewhere.port, jsonPost(event('A')));
    expect(stranger.last.headers.cookie).toBeUndefined();
    await elsewhere.stop();
    await stranger.stop();
  });

  it('stay with the first answer when an actor’s first requests are under way at once', async () => {
    const held: (() => void)[] = [];
    let count = 0;
    target.answer = (_request, response) => {
      count += 1;
      const cookie = `${NAME}=${String(count)}`;
      held.push(() => response.writeHead(200, { 'set-cookie': cookie }).end());
      if (held.length === 2) held[0]?.();
    };
    const second = await another();
    const first = Promise.all([raw(proxy.port, jsonPost(event('A')))]);
    const later = raw(second.port, jsonPost(event('A')));
    await Promise.race([first, later]);
    held[1]?.();
    await Promise.all([first, later]);
    sets();
    expect(await cookieOf('A')).toBe(`${NAME}=1`);
    expect(await cookieOf('A', second)).toBe(`${NAME}=1`);
  });

  it('of many actors at once are each their own', async () => {
    const actors = Array.from({ length: 200 }, (_, n) => `actor-${String(n)}`);
    target.answer = (request, response) => response.writeHead(200, { 'set-cookie': `${NAME}=of-${String(request.headers.actorid)}` }).end();
    await Promise.all(actors.map((actor) => fetchPost(proxy, actor)));
    const second = await another();
    target.seen.length = 0;
    await Promise.all(actors.map((actor) => fetchPost(second, actor)));
    expect(target.seen.map(({ headers }) => headers.cookie)).toEqual(
      target.seen.map(({ headers }) => `${NAME}=of-${String(headers.actorid)}`),
    );
    expect(target.seen).toHaveLength(actors.length);
  });

  it('are not written again when nothing changes', async () => {
    sets(`${NAME}=a; Expires=Thu, 01 Jan 2099 00:00:00 GMT`);
    await cookieOf('A');
    const before = await rows();
    sets(`${NAME}=a; Max-Age=${String(400 * 86_400)}`);
    await cookieOf('A');
    const again = await rows();
    expect(before).toHaveLength(1);
    sets(`${NAME}=a; Max-Age=60`);
    await cookieOf('A');
    expect((await rows())[0]?.expires_at).toBeLessThan(again[0]!.expires_at);
  });

  it('are remembered while the storage is away, and written when it is back', async () => {
    sets(`${NAME}=one`);
    await cookieOf('A');
    await sql`alter table affinity_sessions rename to affinity_sessions_away`.execute(storage.db);
    try {
      sets(`${NAME}=two`);
      expect(await cookieOf('A')).toBe(`${NAME}=one`);
      expect(await proxy.sessions.probe()).toBe(false);
      await cookieOf('B');
      sets();
      expect(await cookieOf('A')).toBe(`${NAME}=two`);
      expect(await cookieOf('B')).toBe(`${NAME}=two`);
      expect(await cookieOf('C')).toBeUndefined();
    } finally {
      await sql`alter table affinity_sessions_away rename to affinity_sessions`.execute(storage.db);
    }
    await eventually('the storage is asked again', async () => {
      await cookieOf('C');
      return proxy.sessions.probe();
    });
    expect(await cookieOf('A')).toBe(`${NAME}=two`);
    expect(await cookieOf('B')).toBe(`${NAME}=two`);
    const second = await another();
    expect(await cookieOf('A', second)).toBe(`${NAME}=two`);
    expect(await cookieOf('B', second)).toBe(`${NAME}=two`);
  });
});

async function fetchPost(proxy: Proxy, actor: string): Promise<void> {
  const answer = await fetch(proxy.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: event(actor) });
  await answer.text();
}
