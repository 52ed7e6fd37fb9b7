import { ENGINES, RestApp } from './rest-app';

const PATH = '/api/v1/channels';

describe.each(ENGINES)('the list of channels on %s', (engine) => {
  let app: RestApp;

  beforeAll(async () => {
    app = await RestApp.start(engine, { HOOK_SERVER_FACEBOOK_APP_SECRET: 'a-secret' });
  });
  afterAll(() => app?.close());

  it('shows each as it is shown alone, by name', async () => {
    const { data, nextCursor } = await app.must(200, 'GET', PATH);
    const names = (data as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['automate', 'facebook', 'sources', 'twilio', 'twitter', 'webex']));
    expect(names).toEqual([...names].sort());
    expect(nextCursor).toBeNull();
    for (const each of data) expect(each).toEqual(await app.must(200, 'GET', `${PATH}/${each.name}`));
    expect(data).toContainEqual(expect.objectContaining({ name: 'facebook', configured: true }));
    expect(data).toContainEqual(expect.objectContaining({ name: 'webex', configured: false }));
  });

  it('goes page by page', async () => {
    const { data: all } = await app.must(200, 'GET', PATH);
    const seen: unknown[] = [];
    let cursor = '';
    for (let page = 0; page < all.length; page += 1) {
      const { data, nextCursor } = await app.must(200, 'GET', `${PATH}?limit=1${cursor}`);
      seen.push(...data);
      cursor = `&cursor=${String(nextCursor)}`;
    }
    expect(cursor).toBe('&cursor=null');
    expect(seen).toEqual(all);
  });

  it('refuses what it does not know, and who has no key', async () => {
    expect((await app.call('GET', `${PATH}?enabled=true`)).status).toBe(400);
    expect((await app.call('GET', PATH, undefined, { key: null })).status).toBe(401);
  });

  it('tells the key of an account nothing that may be of others', async () => {
    const key = await app.newAccount('newcomer');
    const { data } = await app.must(200, 'GET', PATH, undefined, { key });
    for (const { state } of data) expect(state).toBeNull();
  });
});
