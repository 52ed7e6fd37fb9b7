import { newId } from '../../../src/core/ids';
import { AWKWARD_TEXT } from '../storage/sample-rows';
import { DAY_MS, type StoreUnderTest, type ThreadStoreHarness, said } from './harness';

export function describeWriting({ name, open }: StoreUnderTest): void {
  describe(`writing statements to ${name}`, () => {
    let harness: ThreadStoreHarness;
    beforeEach(async () => {
      harness = await open();
    });
    afterEach(() => harness?.release());

    const load = async (id: string, limit = 100) => {
      await harness.settled();
      return harness.store.load(id, { limit });
    };

    it('gives a statement back as it was written, in its thread', async () => {
      const statement = said({
        author: AWKWARD_TEXT,
        own: true,
        text: AWKWARD_TEXT,
        attachments: [{ type: 'image', url: 'https://example.com/a?b=c' }, { type: 'location' }],
      });
      expect(await harness.store.write([statement])).toEqual([]);
      expect(await load(statement.threadId)).toEqual({
        id: statement.threadId,
        channel: 'facebook',
        accountId: 'default',
        firstAt: DAY_MS,
        lastAt: DAY_MS,
        statementCount: 1,
        statements: [statement],
      });
    });

    it('has nothing of a thread that nobody has spoken in', async () => {
      expect(await load('facebook:page:nobody')).toBeUndefined();
      expect(await harness.store.write([])).toEqual([]);
    });

    it('writes what is written again, together or later, once', async () => {
      const one = said({ at: DAY_MS + 1 });
      const two = said({ at: DAY_MS + 2 });
      expect(await harness.store.write([one, two, one])).toEqual([]);
      await harness.settled();
      expect(await harness.store.write([two, one])).toEqual([]);
      expect(await load(one.threadId)).toMatchObject({ statementCount: 2, statements: [one, two] });
    });

    it('keeps first and last time whatever the order in which statements come', async () => {
      const [late, middle, early] = [said({ at: DAY_MS + 3 }), said({ at: DAY_MS + 2 }), said({ at: DAY_MS + 1 })];
      for (const statement of [middle, late, early]) await harness.store.write([statement]);
      expect(await load(late.threadId)).toMatchObject({
        firstAt: early.at,
        lastAt: late.at,
        statementCount: 3,
        statements: [early, middle, late],
      });
    });

    it('writes the same from many at once, once', async () => {
      const statements = Array.from({ length: 60 }, (_, index) => said({ threadId: `facebook:page:${index % 7}`, at: DAY_MS + index }));
      const turned = (round: number) => (round % 2 ? statements : statements.toReversed());
      await Promise.all(Array.from({ length: 4 }, (_, round) => harness.store.write(turned(round))));
      await harness.settled();
      const threads = await harness.store.list({ account: null, channel: undefined, sinceMs: undefined, text: undefined }, 50);
      expect(threads).toHaveLength(7);
      expect(threads.reduce((sum, thread) => sum + thread.statementCount, 0)).toBe(60);
    });

    it('writes more than goes into one request', async () => {
      const statements = Array.from({ length: 2_500 }, (_, index) => said({ at: DAY_MS + index }));
      expect(await harness.store.write(statements)).toEqual([]);
      const loaded = await load('facebook:page:user', 3);
      expect(loaded).toMatchObject({ statementCount: 2_500, firstAt: DAY_MS, lastAt: DAY_MS + 2_499 });
      expect(loaded?.statements).toEqual(statements.slice(-3));
    });

    it('names what can never be written, and writes the rest', async () => {
      const poison = said({ author: 'p'.repeat(40_000), text: 'with\0NUL' });
      const others = [said(), said()];
      const refused = await harness.store.write([others[0]!, poison, others[1]!]);
      expect(refused).toEqual([{ statement: poison, reason: expect.stringMatching(/./) }]);
      expect((await load(poison.threadId))?.statements.map(({ eventId }) => eventId).sort()).toEqual(
        others.map(({ eventId }) => eventId).sort(),
      );
    });

    it('keeps one thread for each account that has it, and finds the one that was spoken in last', async () => {
      await harness.store.write([
        said({ accountId: 'a', text: 'of a', at: DAY_MS + 1 }),
        said({ accountId: 'b', text: 'of b', at: DAY_MS + 2 }),
      ]);
      await harness.settled();
      const { threadId } = said();
      for (const accountId of ['a', 'b']) {
        const loaded = await harness.store.load(threadId, { accountId, limit: 10 });
        expect(loaded).toMatchObject({ accountId, statementCount: 1, statements: [{ text: `of ${accountId}` }] });
      }
      expect(await harness.store.load(threadId, { accountId: 'c', limit: 10 })).toBeUndefined();
      expect(await harness.store.load(threadId, { limit: 10 })).toMatchObject({ accountId: 'b' });
    });

    it('deletes what was said before a time, and threads that are left empty', async () => {
      const old = Array.from({ length: 5 }, (_, index) => said({ threadId: `facebook:page:old${index}`, at: DAY_MS - 10 - index }));
      const lively = [said({ at: DAY_MS - 2 }), said({ at: DAY_MS })];
      await harness.store.write([...old, ...lively]);
      await harness.settled();
      while (await harness.store.expire(DAY_MS)) await harness.settled();
      await harness.settled();
      const left = await harness.store.list({ account: null, channel: undefined, sinceMs: undefined, text: undefined }, 50);
      expect(left).toEqual([
        { id: lively[1]!.threadId, channel: 'facebook', accountId: 'default', firstAt: DAY_MS, lastAt: DAY_MS, statementCount: 1 },
      ]);
      expect((await load('facebook:page:user'))?.statements).toEqual([lively[1]]);
      const word = { account: null, channel: undefined, sinceMs: undefined, text: 'hello' };
      expect(await harness.store.list(word, 50)).toHaveLength(1);
      // Somebody speaks again.
      await harness.store.write([{ ...old[0]!, at: DAY_MS + 1, eventId: newId() }]);
      expect(await load(old[0]!.threadId)).toMatchObject({ statementCount: 1 });
    });

    it('says that it can be written to', async () => {
      expect(await harness.store.probe()).toBe(true);
    });
  });
}
