import { type FailingEndpoint, OutageGuard } from './outage-guard';

const NOW = 10_000_000;
const failing = (changes: Partial<FailingEndpoint> = {}): FailingEndpoint => ({
  id: 'a',
  url: 'https://a.example/x',
  failingSince: 1_000,
  lastFailureBegunAt: NOW - 10,
  ...changes,
});
const hosts =
  (...names: string[]) =>
  () =>
    Promise.resolve(new Set(names));
const everything = hosts('a.example', 'b.example');

describe('OutageGuard', () => {
  it('holds an endpoint back while others fail as well and nothing has succeeded', async () => {
    const guard = new OutageGuard();
    expect(await guard.holdBack([failing()], everything, NOW)).toEqual(new Set(['a']));
  });

  it('lets one go that fails alone, by its host', async () => {
    const guard = new OutageGuard();
    expect(await guard.holdBack([failing(), failing({ id: 'b', url: 'https://a.example:8443/y' })], hosts('a.example'), NOW)).toEqual(
      new Set(),
    );
  });

  it.each([
    { name: 'between its first failure and its last attempt', at: NOW - 11, held: [] },
    { name: 'before it began to fail', at: 999, held: ['a'] },
    { name: 'while its last attempt was under way', at: NOW - 9, held: ['a'] },
  ])('asks when somebody was reached: $name', async ({ at, held }) => {
    const guard = new OutageGuard();
    guard.succeeded(at);
    expect(await guard.holdBack([failing()], everything, NOW)).toEqual(new Set(held));
  });

  it('lets one go that succeeds in between', async () => {
    expect(await new OutageGuard().holdBack([failing({ failingSince: null })], everything, NOW)).toEqual(new Set());
  });

  it('asks again at the first failure after somebody was reached, not at each', async () => {
    const guard = new OutageGuard();
    expect(guard.isToBeAsked('a', NOW)).toBe(false);
    await guard.holdBack([failing()], everything, NOW);
    expect(guard.isToBeAsked('a', NOW + 5_000)).toBe(false);
    guard.succeeded(NOW + 6_000);
    expect(guard.isToBeAsked('a', NOW + 5_000)).toBe(false);
    expect(guard.isToBeAsked('a', NOW + 7_000)).toBe(true);
    expect(await guard.holdBack([failing({ lastFailureBegunAt: NOW + 7_000 })], everything, NOW + 8_000)).toEqual(new Set());
    expect(guard.isToBeAsked('a', NOW + 9_000)).toBe(false);
  });

  it('forgets one of which nothing is heard any more', async () => {
    const guard = new OutageGuard();
    await guard.holdBack([failing()], everything, NOW);
    await guard.holdBack([failing({ id: 'b', url: 'https://b.example/' })], everything, NOW + 60_000);
    expect(guard.size).toBe(1);
  });
});
