import type { DeliveryStatus } from '../../src/core/hook-event';
import { type DeliveryRef, type StatusChange, changeDeliveries, eventStateOf } from '../../src/dispatcher/ledger-delta';
import { ledgerView } from '../../src/ledger/ledger.dto';
import { ENGINES } from '../conformance/storage/engines';
import { DispatchRig, incoming, requestOf } from './dispatch-rig';

const STATES = ['delivered', 'filtered', 'duplicate', 'dead', 'cancelled', 'pending'] as const;
const STATUSES: DeliveryStatus[] = ['pending', 'waiting', 'delivered', 'dead', 'cancelled'];

/** Repeatable chance. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe.each(ENGINES)('the ledger on $engine', (engine) => {
  let rig: DispatchRig;

  beforeEach(async () => {
    rig = await DispatchRig.create(engine);
    await rig.routed('single', 1);
    await rig.routed('triple', 3);
  });

  afterEach(async () => {
    await rig?.close();
  });

  const deliveries = async (): Promise<(DeliveryRef & { status: DeliveryStatus })[]> => {
    const rows = await rig.storage.db
      .selectFrom('deliveries')
      .select(['id', 'event_id', 'source', 'fan_out', 'status'])
      .orderBy('id')
      .execute();
    return rows.map((row) => ({
      id: row.id,
      eventId: row.event_id,
      source: row.source,
      fanOut: row.fan_out,
      status: row.status as DeliveryStatus,
    }));
  };

  /** Gives the deliveries new statuses, each from whatever it has now, as settling and the API do. */
  const change = (wishes: readonly { delivery: DeliveryRef; to: DeliveryStatus }[]): Promise<void> =>
    rig.storage.transaction(async (trx) => {
      await changeDeliveries(
        rig.storage,
        trx,
        wishes.map((wish) => wish.delivery),
        async () => {
          const made: StatusChange[] = [];
          for (const { delivery, to } of wishes) {
            const current = trx.selectFrom('deliveries').select('status').where('id', '=', delivery.id);
            const row = await (engine.engine === 'postgres' ? current.forUpdate() : current).executeTakeFirstOrThrow();
            await trx.updateTable('deliveries').set({ status: to }).where('id', '=', delivery.id).execute();
            made.push({ delivery, from: row.status as DeliveryStatus, to });
          }
          return made;
        },
      );
    });

  /** What the ledger has to say, counted from the events and deliveries themselves. */
  const counted = async () => {
    const events = await rig.storage.db.selectFrom('events').select(['id', 'fan_out']).execute();
    const all = await deliveries();
    const counts = { delivered: 0, filtered: 0, dead: 0, cancelled: 0, pending: 0, duplicate: 0 };
    for (const event of events) {
      const statuses = all.filter((delivery) => delivery.eventId === event.id).map((delivery) => delivery.status);
      counts[statuses.length === 0 ? 'filtered' : eventStateOf(statuses)] += 1;
    }
    return counts;
  };

  it('agrees with the events whatever becomes of them, before and after folding', async () => {
    const random = chance(7);
    const requests = Array.from({ length: 60 }, (_, index) =>
      requestOf(
        ['single', 'triple', 'nobody wants it'].map((eventType) => incoming({ eventType, dedupeKey: `${eventType}-${index % 50}` })),
      ),
    );
    await rig.dispatcher.dispatch(requests);
    await rig.dispatcher.dispatch(requests.slice(0, 5));
    await rig.dispatcher.recordPoison('facebook', 'poison');
    const all = await deliveries();
    expect(all).toHaveLength(50 * 4);

    for (let round = 0; round < 20; round++) {
      const wishes = Array.from({ length: 15 }, () => all[random(all.length)])
        .filter((delivery) => delivery !== undefined)
        .map((delivery) => ({ delivery, to: STATUSES[random(STATUSES.length)] ?? 'dead' }));
      await change([...new Map(wishes.map((wish) => [wish.delivery.id, wish])).values()]);
      if (round === 10) await rig.ledger.fold();

      const expected = await counted();
      const view = ledgerView(await rig.ledger.sums(), undefined);
      expect(view.total).toEqual({ ...expected, dead: expected.dead + 1, duplicate: 30, accepted: 181 });
      expect(STATES.reduce((sum, state) => sum + view.total[state], 0)).toBe(view.total.accepted);
    }
    const before = await rig.ledger.sums();
    await rig.ledger.fold();
    expect(await rig.count('ledger_deltas')).toBe(0);
    expect(await rig.ledger.sums()).toEqual(before);
    expect(ledgerView(before, undefined)).toMatchObject({
      sources: [{ source: 'facebook', accepted: 181 }],
      door: { confirmed: 0, dispatched: 61 },
    });
  });

  it.each([
    { round: 1, seed: 1 },
    { round: 2, seed: 22 },
    { round: 3, seed: 333 },
  ])('stays right when transactions settle the same events at once, round $round', async ({ seed }) => {
    const random = chance(seed);
    await rig.dispatcher.dispatch([requestOf(Array.from({ length: 12 }, () => incoming({ eventType: 'triple' })))]);
    const all = await deliveries();
    // Every delivery is settled by one of four, each in groups of its own order: an event's three deliveries meet.
    const workers = Array.from({ length: 4 }, (): DeliveryRef[][] => []);
    const shuffled = all.map((delivery) => ({ delivery, at: random(1_000) })).sort((a, b) => a.at - b.at);
    shuffled.forEach(({ delivery }, index) => {
      const groups = workers[index % 4] ?? [];
      const last = groups.at(-1);
      if (last && last.length < 3) last.push(delivery);
      else groups.push([delivery]);
    });
    await Promise.all(
      workers.map(async (groups) => {
        for (const group of groups) {
          await change(group.map((delivery) => ({ delivery, to: STATUSES[2 + random(3)] ?? 'dead' })));
        }
      }),
    );
    const expected = await counted();
    expect(expected.pending).toBe(0);
    expect(ledgerView(await rig.ledger.sums(), undefined).total).toEqual({ ...expected, accepted: 12 });
  });

  it('books nothing for a change between pending and waiting', async () => {
    await rig.dispatcher.dispatch([requestOf([incoming({ eventType: 'single' }), incoming({ eventType: 'triple' })])]);
    await rig.ledger.fold();
    await change((await deliveries()).map((delivery) => ({ delivery, to: 'waiting' as const })));
    expect(await rig.count('ledger_deltas')).toBe(0);
  });

  it('books nothing for a change that was fenced off', async () => {
    await rig.dispatcher.dispatch([requestOf([incoming({ eventType: 'triple' })])]);
    const before = await rig.sums();
    const candidates = await deliveries();
    await rig.storage.transaction(async (trx) => {
      await changeDeliveries(rig.storage, trx, candidates, () => Promise.resolve([]));
    });
    expect(await rig.sums()).toEqual(before);
  });

  it('refuses a change of a shared event that was not locked', async () => {
    await rig.dispatcher.dispatch([requestOf([incoming({ eventType: 'triple' })])]);
    const [delivery] = await deliveries();
    if (!delivery) throw new Error('no delivery');
    const unlocked = rig.storage.transaction((trx) =>
      changeDeliveries(rig.storage, trx, [], () => Promise.resolve([{ delivery, from: 'pending' as const, to: 'dead' as const }])),
    );
    await expect(unlocked).rejects.toThrow('without being a candidate');
  });

  it('is folded once by two that fold at the same time, while it grows', async () => {
    const grow = (count: number) =>
      Promise.all(
        Array.from({ length: count }, (_, index) => rig.dispatcher.dispatch([requestOf([incoming()], { source: `s${index % 7}` })])),
      );
    await grow(30);
    await Promise.all([rig.ledger.fold(), grow(20), rig.ledger.fold(), rig.ledger.fold()]);
    expect(ledgerView(await rig.ledger.sums(), undefined).total).toMatchObject({ accepted: 50, filtered: 50 });
    await rig.ledger.fold();
    expect(await rig.count('ledger_deltas')).toBe(0);
    expect(ledgerView(await rig.ledger.sums(), undefined).total).toMatchObject({ accepted: 50, filtered: 50 });
  });
});
