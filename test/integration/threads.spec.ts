import { ThreadStore } from '../../src/threads/thread-store';
import { eventually } from '../support/eventually';
import { signatureOf } from '../support/facebook-sender';
import { APP_SECRET } from '../support/gateway';
import { ENGINES, RestApp } from './rest-app';

const PAGE = '111111';
const HOUR_MS = 3_600_000;
const START_MS = Date.now() - HOUR_MS;

interface Message {
  user: string;
  text: string;
  /** Minutes after the start. */
  minute: number;
  page?: string;
}

const item = ({ user, text, minute, page = PAGE }: Message): object => ({
  sender: { id: user },
  recipient: { id: page },
  timestamp: START_MS + minute * 60_000,
  message: { mid: `m.${page}.${user}.${minute}`, text },
});

describe.each(ENGINES)('/api/v1/threads on %s', (engine) => {
  let gateway: RestApp;
  let acme: string;

  const send = async (...messages: Message[]): Promise<void> => {
    const body = JSON.stringify({
      object: 'page',
      entry: messages.map((message) => ({ id: message.page ?? PAGE, time: START_MS, messaging: [item(message)] })),
    });
    const { status } = await gateway.call('POST', '/facebook', body, {
      key: null,
      headers: { 'content-type': 'application/json', 'x-hub-signature-256': signatureOf(body) },
    });
    expect(status).toBe(200);
  };

  const list = async (query: string, key?: string) =>
    (await gateway.call('GET', `/api/v1/threads${query}`, undefined, { ...(key && { key }) })).body;
  const idsOf = async (query: string, key?: string): Promise<string[]> => (await list(query, key)).data.map(({ id }: { id: string }) => id);

  beforeAll(async () => {
    gateway = await RestApp.start(engine, { HOOK_SERVER_FACEBOOK_APP_SECRET: APP_SECRET });
    await gateway.call('POST', '/api/v1/accounts', { id: 'acme' });
    await gateway.call('POST', '/api/v1/accounts/acme/identities', { channel: 'facebook', externalId: '222222' });
    acme = (await gateway.call('POST', '/api/v1/keys', { accountId: 'acme' })).body.key;
    await send(
      { user: 'anna', text: 'Where is my order?', minute: 1 },
      { user: 'ben', text: 'hello', minute: 2 },
      { user: 'anna', text: 'Are you there', minute: 3 },
      { user: 'cleo', text: 'an order please', minute: 4, page: '222222' },
    );
    await eventually('all is written', async () => (await list('')).data.length === 3);
  });
  afterAll(() => gateway?.close());

  it('shows conversations, those with the newest statement first', async () => {
    expect(await list('')).toEqual({
      data: [
        { id: 'facebook:222222:cleo', accountId: 'acme', statementCount: 1, ...timesOf(4, 4) },
        { id: 'facebook:111111:anna', accountId: 'default', statementCount: 2, ...timesOf(1, 3) },
        { id: 'facebook:111111:ben', accountId: 'default', statementCount: 1, ...timesOf(2, 2) },
      ],
      nextCursor: null,
    });
  });

  it('filters by words, channel, time and account', async () => {
    expect(await idsOf('?q=ORDER')).toEqual(['facebook:222222:cleo', 'facebook:111111:anna']);
    expect(await idsOf('?q=order&accountId=acme')).toEqual(['facebook:222222:cleo']);
    expect(await idsOf('?channel=whatsapp')).toEqual([]);
    expect(await idsOf(`?channel=facebook&since=${new Date(START_MS + 3 * 60_000).toISOString()}`)).toHaveLength(2);
  });

  it('goes on where a page ended', async () => {
    const first = await list('?limit=2');
    expect(first.data).toHaveLength(2);
    const second = await list(`?limit=2&cursor=${first.nextCursor}`);
    expect(second).toMatchObject({ data: [{ id: 'facebook:111111:ben' }], nextCursor: null });
  });

  it.each(['?limit=0', '?cursor=nonsense', '?cursor=WzFd', '?since=soon', '?q=a&q=b'])('refuses %s', async (query) => {
    expect(await gateway.call('GET', `/api/v1/threads${query}`)).toMatchObject({ status: 400, body: { code: 'malformed_request' } });
  });

  it('shows a thread with what was said, the newest first, page by page, by an id that is escaped', async () => {
    const path = `/api/v1/threads/${encodeURIComponent('facebook:111111:anna')}`;
    const { body } = await gateway.call('GET', `${path}?limit=1`);
    expect(body).toEqual({
      id: 'facebook:111111:anna',
      accountId: 'default',
      statementCount: 2,
      ...timesOf(1, 3),
      statements: [
        {
          threadId: 'facebook:111111:anna',
          channel: 'facebook',
          accountId: 'default',
          author: 'anna',
          own: false,
          text: 'Are you there',
          attachments: [],
          at: isoOf(3),
          eventId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        },
      ],
      nextCursor: expect.any(String),
    });
    const event = await gateway.call('GET', `/api/v1/events/${body.statements[0].eventId}`);
    expect(event).toMatchObject({ status: 200, body: { application: 'facebook', data: { message: { text: 'Are you there' } } } });
    const older = await gateway.call('GET', `${path}?limit=1&cursor=${body.nextCursor}`);
    expect(older.body).toMatchObject({ statements: [{ text: 'Where is my order?' }], nextCursor: null });
  });

  it('finds a thread whose id holds escapes itself', async () => {
    const threadId = 'twilio:whatsapp:%2B1 5/x'.replace(' ', '%20');
    const statement = { threadId, channel: 'twilio', accountId: 'acme', author: 'a', own: false, text: '', attachments: [], at: 1_000 };
    await gateway.app.get(ThreadStore, { strict: false }).write([{ ...statement, eventId: '00000000-0000-7000-8000-000000000000' }]);
    expect(await gateway.call('GET', `/api/v1/threads/${encodeURIComponent(threadId)}`)).toMatchObject({
      status: 200,
      body: { id: threadId },
    });
  });

  it('shows a key its own account’s threads alone', async () => {
    expect(await idsOf('?channel=facebook', acme)).toEqual(['facebook:222222:cleo']);
    expect(await gateway.call('GET', '/api/v1/threads/facebook:222222:cleo', undefined, { key: acme })).toMatchObject({ status: 200 });
    for (const path of [
      '/api/v1/threads/facebook:111111:anna',
      '/api/v1/threads?accountId=default',
      '/api/v1/threads/none',
      '/api/v1/threads/%00',
    ]) {
      expect(await gateway.call('GET', path, undefined, { key: acme })).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
    expect((await gateway.call('GET', '/api/v1/threads', undefined, { key: null })).status).toBe(401);
  });

  it('counts what was said', async () => {
    const { text } = await gateway.call('GET', '/metrics');
    expect(text).toMatch(/hookline_statements_total\{outcome="written"\} 4/);
  });
});

const isoOf = (minute: number): string => new Date(START_MS + minute * 60_000).toISOString();
const timesOf = (first: number, last: number): object => ({ channel: 'facebook', firstAt: isoOf(first), lastAt: isoOf(last) });
