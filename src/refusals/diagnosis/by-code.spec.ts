import { findingOfCode, findingOfState } from './by-code';

describe('the state of a source', () => {
  it('that is disabled, or deleted', () => {
    expect(findingOfState('disabled', true)).toMatchObject({ cause: 'switched_off', certain: true, setting: 'enabled' });
    expect(findingOfState('deleted', true)).toMatchObject({ cause: 'unknown_token', certain: true });
    expect(findingOfState('enabled', true)).toBeUndefined();
  });

  it('whose URL was not known once', () => {
    expect(findingOfCode('not_found', 'This in URL is not known', true)).toMatchObject({ cause: 'unknown_token', certain: false });
    expect(findingOfCode('not_found', 'This source answers no GET', true)).toBeUndefined();
  });
});
