import type { EndpointRecord } from '../registry/endpoint-record';
import { Admission, type Patience } from './admission';

describe('admission', () => {
  const endpoint = (id: string): EndpointRecord => ({ id }) as EndpointRecord;
  const [e, busy] = [endpoint('e'), endpoint('busy')];
  const ENDLESS: Patience = { stepMs: 60_000, leastMoves: 0, timeoutMs: 60_000 };
  const turnOfLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  /** Deliveries that still fit, by endpoint. */
  const rooms = new Map<string, number>();
  beforeEach(() => rooms.clear());
  const admission = (patience: Patience): Admission => new Admission(({ id }, count) => (rooms.get(id) ?? 0) >= count, patience);
  const settled = (promise: Promise<void>): { yet: boolean } => {
    const state = { yet: false };
    void promise.then(() => (state.yet = true));
    return state;
  };

  it('waits for room, of the endpoints that want it alone', async () => {
    const gate = admission(ENDLESS);
    const admitted = gate.admit(new Map([[e, 2]]));
    const state = settled(admitted);
    for (const room of [1, 2]) {
      expect(state.yet).toBe(false);
      rooms.set('e', room);
      gate.moved('busy');
      await turnOfLoop();
      expect(state.yet).toBe(false);
      gate.moved('e');
      await turnOfLoop();
    }
    await admitted;
  });

  it('does not wait where there is room', async () => {
    rooms.set('e', 3);
    await admission(ENDLESS).admit(new Map([[e, 3]]));
    await admission(ENDLESS).admit(new Map());
  });

  it('gives the same room to one of those who come in the same turn', async () => {
    rooms.set('e', 3);
    const gate = admission(ENDLESS);
    const [first, second] = [gate.admit(new Map([[e, 2]])), gate.admit(new Map([[e, 2]]))];
    const state = settled(second);
    await first;
    expect(state.yet).toBe(false);
    await turnOfLoop();
    gate.moved('e');
    await second;
  });

  it('waits no longer because of others that move', async () => {
    const gate = admission({ stepMs: 25, leastMoves: 1, timeoutMs: 60_000 });
    rooms.set('busy', 1);
    const timer = setInterval(() => gate.moved('busy'), 1);
    await gate.admit(
      new Map([
        [e, 1],
        [busy, 1],
      ]),
    );
    clearInterval(timer);
  }, 2_000);

  it('waits no longer than it makes sense: while deliveries move, and up to a limit', async () => {
    await admission({ stepMs: 1, leastMoves: 1, timeoutMs: 60_000 }).admit(new Map([[e, 1]]));
    await admission({ stepMs: 1, leastMoves: 0, timeoutMs: 5 }).admit(new Map([[e, 1]]));
  });
});
