import { eventually } from '../../../test/support/eventually';
import { Backlog } from './backlog';
import { Puller } from './puller';

const HOUR_MS = 3_600_000;

/** A puller over a database in which nothing waits, and how often it looks there. */
function pullerOverNothing(claim = (): Promise<void> => Promise.resolve()): { puller: Puller; backlog: Backlog; looks: () => number } {
  let looks = 0;
  const backlog = new Backlog();
  const registry = { ensureLoaded: () => Promise.reject(new Error(`look ${++looks}`)), snapshot: {} };
  const puller = new Puller({} as never, registry as never, { claim } as never, backlog, {} as never, { pullIntervalMs: 10 } as never);
  Object.assign(puller, { logger: { error: () => undefined } });
  return { puller, backlog, looks: () => looks };
}

describe('Puller', () => {
  afterEach(() => jest.restoreAllMocks());

  it('goes on looking when the clock is set back', async () => {
    const { puller, looks } = pullerOverNothing();
    puller.start();
    await eventually('the first look', () => looks() > 0);
    const realNow = Date.now.bind(Date);
    jest.spyOn(Date, 'now').mockImplementation(() => realNow() - HOUR_MS);
    const before = looks();
    await eventually('two more looks', () => looks() > before + 1);
    await puller.stop();
  });

  it('is stopped when what it was fetching is fetched, and fetches nothing more', async () => {
    let fetched: (() => void) | undefined;
    let claims = 0;
    const { puller, backlog } = pullerOverNothing(() => new Promise<void>((resolve) => (claims++, (fetched = resolve))));
    puller.start();
    await eventually('it fetches', () => fetched !== undefined);
    let isStopped = false;
    const stopped = puller.stop().then(() => (isStopped = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isStopped).toBe(false);
    fetched?.();
    await stopped;
    const timers = jest.spyOn(globalThis, 'setTimeout');
    backlog.dueAt(0);
    expect(timers).not.toHaveBeenCalled();
    expect(claims).toBe(1);
  });
});
