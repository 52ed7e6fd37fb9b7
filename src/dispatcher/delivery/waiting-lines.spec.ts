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

  it('tell how many wait', () => {
    const lines = new WaitingLines<string>();
    for (const job of ['a', 'b', 'c']) lines.enter('e', 1, job);
    expect([lines.waitingFor('e'), lines.waitingFor('other')]).toEqual([2, 0]);
    lines.leave('e');
    expect(lines.waitingFor('e')).toBe(1);
  });
});
