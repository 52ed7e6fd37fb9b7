import { firstIdAt, isId, newId, timeOfId } from './ids';

it('makes UUIDs of version 7, all different, each greater than the one before', () => {
  const ids = Array.from({ length: 20_000 }, newId);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(ids.every(isId)).toBe(true);
  expect([...ids].sort()).toEqual(ids);
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
    expect([...ids].sort()).toEqual(ids);
    expect(timeOfId(ids.at(-1) ?? '')).toBe(future + 2);
  });

  it('goes back, sorts on', () => {
    const before = newId();
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() - 60_000);
    expect(newId() > before).toBe(true);
  });
});
