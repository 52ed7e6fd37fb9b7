import { RE2JS } from 're2js';
import { SEARCHED_CHARACTERS, foundIn, patternProblem } from './text-pattern';

describe('patterns', () => {
  it('look at the beginning of a text alone', () => {
    const text = `${'x'.repeat(SEARCHED_CHARACTERS)}y`;
    expect([foundIn('x$', text), foundIn('y', text)]).toEqual([true, false]);
  });

  it('are compiled once', () => {
    const compile = jest.spyOn(RE2JS, 'compile');
    expect([foundIn('only-once', 'only-once'), foundIn('only-once', '')]).toEqual([true, false]);
    expect(compile).toHaveBeenCalledTimes(1);
    compile.mockRestore();
  });

  it('cost by the length of the text alone, and keep little of what they have met', () => {
    const hostile = '(a[ab]{50}[cd]|b[ab]{60}[de])';
    expect(patternProblem(hostile)).toBeUndefined();
    const compile = jest.spyOn(RE2JS, 'compile');
    // Of any two such texts the places of the letters differ, and so do the states.
    let seed = 1;
    const text = Array.from({ length: SEARCHED_CHARACTERS }, () => ((seed = (seed * 48_271) % 2_147_483_647) % 2 === 0 ? 'a' : 'b')).join(
      '',
    );
    foundIn(`${hostile}!?`, text);
    const [made] = compile.mock.results.map(({ value }) => value as RE2JS);
    compile.mockRestore();
    expect(made?.re2().lazyDFA.stateCount).toBeLessThanOrEqual(128);
  });
});
