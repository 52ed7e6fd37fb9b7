import { allot, type Claimant } from './allotment';

const claimant = (endpointId: string, accountId: string, room: number): Claimant => ({ endpointId, accountId, room });

describe('allot', () => {
  it.each([
    { title: 'nobody', free: 5, claimants: [], expected: {} },
    { title: 'no places', free: 0, claimants: [claimant('a', 'A', 5)], expected: {} },
    { title: 'no room', free: 5, claimants: [claimant('a', 'A', 0)], expected: {} },
    { title: 'room for all', free: 50, claimants: [claimant('a', 'A', 5), claimant('b', 'B', 7)], expected: { a: 5, b: 7 } },
    {
      title: 'one takes what the other cannot',
      free: 10,
      claimants: [claimant('a', 'A', 2), claimant('b', 'B', 20)],
      expected: { a: 2, b: 8 },
    },
    {
      title: 'accounts share alike, whatever their endpoints',
      free: 12,
      claimants: [claimant('a', 'A', 20), claimant('b', 'A', 20), claimant('c', 'A', 20), claimant('d', 'B', 20)],
      expected: { a: 2, b: 2, c: 2, d: 6 },
    },
  ])('$title', ({ free, claimants, expected }) => {
    expect(Object.fromEntries(allot(free, claimants, 0))).toEqual(expected);
  });

  it('gives each its turn where there are fewer places than claimants', () => {
    const claimants = ['a', 'b', 'c', 'd'].map((id) => claimant(id, id, 1));
    const served = [0, 0.25, 0.5, 0.75].flatMap((random) => [...allot(1, claimants, random).keys()]);
    expect(served.sort()).toEqual(['a', 'b', 'c', 'd']);
    const endpoints = ['a', 'b', 'c', 'd'].map((id) => claimant(id, 'A', 1));
    expect([0, 0.25, 0.5, 0.75].flatMap((random) => [...allot(1, endpoints, random).keys()]).sort()).toEqual(['a', 'b', 'c', 'd']);
  });
});
