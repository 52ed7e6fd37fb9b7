import type { Thread } from '../../../src/threads/thread';
import type { ThreadQuery } from '../../../src/threads/thread-store';
import { DAY_MS, type StoreUnderTest, type ThreadStoreHarness, said } from './harness';

const ALL: ThreadQuery = { account: null, channel: undefined, sinceMs: undefined, text: undefined };

const STATEMENTS = [
  said({ threadId: 'facebook:page:anna', text: 'Where is my order?', at: DAY_MS + 1 }),
  said({ threadId: 'facebook:page:anna', text: 'It is on its way', own: true, at: DAY_MS + 6 }),
  said({ threadId: 'whatsapp:1:ben', channel: 'whatsapp', text: 'ORDER 4711 came, thank you', at: DAY_MS + 2 }),
  said({ threadId: 'whatsapp:1:ben', channel: 'whatsapp', text: '谢谢 Größe', at: DAY_MS + 3 }),
  said({ threadId: 'facebook:page:cleo', accountId: 'acme', text: 'order, please', at: DAY_MS + 4 }),
  said({ threadId: 'twitter:1-2', channel: 'twitter', accountId: 'acme', text: '', attachments: [{ type: 'photo' }], at: DAY_MS + 5 }),
];

export function describeListing({ name, open }: StoreUnderTest): void {
  describe(`listing threads of ${name}`, () => {
    let harness: ThreadStoreHarness;
    beforeAll(async () => {
      harness = await open();
      await harness.store.write(STATEMENTS);
      await harness.settled();
    });
    afterAll(() => harness?.release());

    const idsOf = async (query: Partial<ThreadQuery>): Promise<string[]> =>
      (await harness.store.list({ ...ALL, ...query }, 50)).map((thread) => thread.id);

    it('shows those with the newest statement first', async () => {
      expect(await harness.store.list(ALL, 50)).toEqual([
        { id: 'facebook:page:anna', channel: 'facebook', accountId: 'default', firstAt: DAY_MS + 1, lastAt: DAY_MS + 6, statementCount: 2 },
        { id: 'twitter:1-2', channel: 'twitter', accountId: 'acme', firstAt: DAY_MS + 5, lastAt: DAY_MS + 5, statementCount: 1 },
        { id: 'facebook:page:cleo', channel: 'facebook', accountId: 'acme', firstAt: DAY_MS + 4, lastAt: DAY_MS + 4, statementCount: 1 },
        { id: 'whatsapp:1:ben', channel: 'whatsapp', accountId: 'default', firstAt: DAY_MS + 2, lastAt: DAY_MS + 3, statementCount: 2 },
      ]);
    });

    it.each<[string, Partial<ThreadQuery>, string[]]>([
      ['an account', { account: 'acme' }, ['twitter:1-2', 'facebook:page:cleo']],
      ['a channel', { channel: 'facebook' }, ['facebook:page:anna', 'facebook:page:cleo']],
      ['a channel that is the beginning of another’s name', { channel: 'face' }, []],
      ['a time', { sinceMs: DAY_MS + 5 }, ['facebook:page:anna', 'twitter:1-2']],
      ['a word, in whatever case', { text: 'order' }, ['facebook:page:anna', 'facebook:page:cleo', 'whatsapp:1:ben']],
      ['words in any order', { text: 'thank 4711' }, ['whatsapp:1:ben']],
      ['words that are not in one statement', { text: 'order way' }, []],
      ['part of a word', { text: 'ord' }, []],
      ['an accent', { text: 'größe' }, ['whatsapp:1:ben']],
      ['a word without its accent', { text: 'grosse' }, []],
      ['another script', { text: '谢谢' }, ['whatsapp:1:ben']],
      ['no word at all', { text: ' "?! ' }, []],
      ['signs that a query language would know', { text: 'order) OR text:(x" | *' }, []],
      ['a word, an account', { text: 'order', account: 'default' }, ['facebook:page:anna', 'whatsapp:1:ben']],
      ['a word, a channel', { text: 'order', channel: 'whatsapp' }, ['whatsapp:1:ben']],
      [
        'a word, an account, a channel, a time',
        { text: 'order', account: 'acme', channel: 'facebook', sinceMs: DAY_MS + 4 },
        ['facebook:page:cleo'],
      ],
      ['an account and a time of another', { account: 'default', sinceMs: DAY_MS + 7 }, []],
    ])('finds by %s', async (_what, query, expected) => {
      expect(await idsOf(query)).toEqual(expected);
    });

    it.each([1, 2, 3])('goes through all threads by pages of %i', async (limit) => {
      const seen: Thread[] = [];
      for (;;) {
        const page = await harness.store.list(ALL, limit, seen.at(-1));
        if (page.length === 0) break;
        expect(page.length).toBeLessThanOrEqual(limit);
        seen.push(...page);
      }
      expect(seen).toEqual(await harness.store.list(ALL, 50));
    });

    it('goes through threads of the same moment by pages', async () => {
      const same = Array.from({ length: 5 }, (_, index) =>
        said({ threadId: `same:${index}`, channel: 'same', accountId: `acc${index % 2}` }),
      );
      await harness.store.write(same);
      await harness.settled();
      const seen: Thread[] = [];
      for (;;) {
        const page = await harness.store.list({ ...ALL, channel: 'same' }, 2, seen.at(-1));
        if (page.length === 0) break;
        seen.push(...page);
      }
      expect(seen.map((thread) => thread.id).sort()).toEqual(same.map((statement) => statement.threadId));
    });

    it('goes through a thread by pages, the newest first, also where two were said in the same moment', async () => {
      const statements = Array.from({ length: 7 }, (_, index) =>
        said({ threadId: 'pages:1', channel: 'pages', at: DAY_MS + Math.floor(index / 3) }),
      );
      await harness.store.write(statements);
      await harness.settled();
      const thread = (await harness.store.find('pages:1', 'default'))!;
      const seen = await harness.store.statements(thread, 2);
      for (;;) {
        const page = await harness.store.statements(thread, 2, seen.at(-1));
        if (page.length === 0) break;
        seen.push(...page);
      }
      const newestFirst = [...statements].sort((a, b) => b.at - a.at || (a.eventId < b.eventId ? 1 : -1));
      expect(seen).toEqual(newestFirst);
    });
  });
}
