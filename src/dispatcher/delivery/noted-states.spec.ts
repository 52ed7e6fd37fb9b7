import { NotedStates } from './noted-states';

describe('NotedStates', () => {
  it('knows a state for a minute', () => {
    const states = new NotedStates<'good' | 'bad'>();
    states.note('a', 'good', 1_000);
    expect(states.isKnown('a', 'good', 60_999)).toBe(true);
    expect(states.isKnown('a', 'bad', 60_999)).toBe(false);
    expect(states.isKnown('a', 'good', 61_000)).toBe(false);
    states.forget('a');
    expect(states.isKnown('a', 'good', 1_001)).toBe(false);
  });

  it('keeps nothing of endpoints of which nothing is heard any more', () => {
    const states = new NotedStates<string>();
    for (let i = 0; i < 1_000; i++) states.note(`e${i}`, 'good', 100_000 + i);
    states.note('another', 'good', 170_000);
    expect(states.size).toBe(1);
  });
});
