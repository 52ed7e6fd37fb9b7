import { firstIdAt, isId, newId, timeOfId } from './ids';

/** True when each is greater than the one before. */
const isRising = (ids: readonly string[]): boolean => ids.every((id, index) => index === 0 || id > ids[index - 1]!);

it('makes UUIDs of version 7, all different, each greater than the one before', () => {
  const ids = Array.from({ length: 20_000 }, newId);
  const isVersion7 = (id: string): boolean => isId(id) && /^.{14}7.{4}[89ab]/.test(id);
  expect(ids.filter((id) => !isVersion7(id))).toEqual([]);
  expect(isRising(ids)).toBe(true);
  expect(new Set(ids.map((id) => id.slice(19))).size).toBe(ids.length);
});

it('dates ids by the present millisecond', () => {
  const before = Date.now();
  const id = newId();
  expect(timeOfId(id)).toBeGreaterThanOrEqual(before);
  expect(id >= firstIdAt(before)).toBe(true);
});

describe('with a clock that', () => {
  afterEach(() => jest.restoreAllMocks());

  it('stands still, sorts more ids than a millisecond has numbers for', () => {
    const future = Date.now() + 3_600_000;
    jest.spyOn(Date, 'now').mockReturnValue(future);
    const ids = Array.from({ length: 10_000 }, newId);
    expect(isRising(ids)).toBe(true);
    expect(timeOfId(ids.at(-1) ?? '')).toBe(future + 2);
  });

  it('goes back, sorts on', () => {
    const before = newId();
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() - 60_000);
    expect(newId() > before).toBe(true);
  });
});
