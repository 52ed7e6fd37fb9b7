import { WaitingLines } from './waiting-lines';

describe('waiting lines', () => {
  it('let as many begin as may be under way, and the others in their order as attempts end', () => {
    const lines = new WaitingLines<string>();
    expect(['a', 'b', 'c', 'd'].map((job) => lines.enter('e', 2, job))).toEqual([true, true, false, false]);
    expect([lines.leave('e'), lines.leave('e')]).toEqual(['c', 'd']);
    expect([lines.leave('e'), lines.leave('e')]).toEqual([undefined, undefined]);
    expect(lines.endpoints()).toEqual([]);
  });

  it('do not let one endpoint wait for another', () => {
    const lines = new WaitingLines<string>();
    lines.enter('slow', 1, 'a');
    lines.enter('slow', 1, 'b');
    expect(lines.enter('quick', 1, 'c')).toBe(true);
    expect(lines.leave('quick')).toBeUndefined();
  });

  it('give back those that wait, and those alone', () => {
    const lines = new WaitingLines<string>();
    for (const job of ['a', 'b', 'c']) lines.enter('e', 1, job);
    expect(lines.drop('e')).toEqual(['b', 'c']);
    expect(lines.enter('e', 1, 'd')).toBe(false);
    expect(lines.drop('other')).toEqual([]);
  });

  describe('are waited for', () => {
    const long = (): WaitingLines<string> => {
      const lines = new WaitingLines<string>();
      for (const job of ['a', 'b', 'c']) lines.enter('e', 1, job);
      return lines;
    };
    const endless = { stepMs: 60_000, leastEnds: 0, timeoutMs: 60_000 };

    it('until they are short', async () => {
      const lines = long();
      let isShort = false;
      const short = lines.shorterThan(['e'], 1, endless).then(() => (isShort = true));
      lines.leave('e');
      await new Promise((resolve) => setImmediate(resolve));
      expect(isShort).toBe(false);
      lines.drop('e');
      await short;
    });

    it('not at all when they are short, or another endpoint’s', async () => {
      await long().shorterThan(['e'], 3, endless);
      await long().shorterThan(['other'], 1, endless);
    });

    it('no longer because of turns that others have', async () => {
      const lines = long();
      lines.enter('busy', 1, 'x');
      const timer = setInterval(() => {
        lines.enter('busy', 1, 'y');
        lines.leave('busy');
      }, 1);
      await lines.shorterThan(['e', 'busy'], 1, { stepMs: 25, leastEnds: 1, timeoutMs: 60_000 });
      clearInterval(timer);
    }, 2_000);

    it('no longer than it makes sense: while turns come, and up to a limit', async () => {
      await long().shorterThan(['e'], 1, { stepMs: 1, leastEnds: 1, timeoutMs: 60_000 });
      await long().shorterThan(['e'], 1, { stepMs: 1, leastEnds: 0, timeoutMs: 5 });
    });
  });
});
