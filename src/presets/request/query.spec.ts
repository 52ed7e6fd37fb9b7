import { setImmediate } from 'node:timers/promises';
import { queryOf } from './query';

describe('queryOf', () => {
  it('gives a list of what came more than once', () => {
    expect(queryOf('/x?a=1&b=2&a=3&a=4')).toEqual({ a: ['1', '3', '4'], b: '2' });
  });

  it('takes names that every object has', () => {
    expect(queryOf('/x?__proto__=1&constructor=2&constructor=3')['constructor']).toEqual(['2', '3']);
  });

  it('reads a name that fills the longest URL in one pass', async () => {
    for (let round = 0; round < 20; round++) {
      expect(queryOf(`/x?${'k&'.repeat(8_000)}`)['k']).toHaveLength(8_000);
      // Lets the test's own limit of time end it.
      await setImmediate();
    }
  });
});
