import { eventually } from '../../../test/support/eventually';
import { Backlog } from './backlog';
import { Puller } from './puller';

const HOUR_MS = 3_600_000;

/** A puller over a database in which nothing waits, and how often it looks there. */
function pullerOverNothing(): { puller: Puller; looks: () => number } {
  let looks = 0;
  const registry = { ensureLoaded: () => Promise.reject(new Error(`look ${++looks}`)), snapshot: {} };
  const puller = new Puller(
    {} as never,
    registry as never,
    { claim: () => Promise.resolve() } as never,
    new Backlog(),
    {} as never,
    { pullIntervalMs: 10 } as never,
  );
  Object.assign(puller, { logger: { error: () => undefined } });
  return { puller, looks: () => looks };
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
});
