import { Logger } from '@nestjs/common';
import { newId } from '../../src/core/ids';
import { LedgerTally, changeDeliveries, recordDelta } from '../../src/dispatcher/ledger-delta';
import { ENGINES } from '../conformance/storage/engines';
import { endpointRow, filterRow } from '../support/registry-rows';
import { incoming, requestOf } from './dispatch-rig';
import { LedgerRig } from './ledger-rig';

describe.each(ENGINES)('the ledger is checked on $engine', (engine) => {
  let rig: LedgerRig;

  beforeEach(async () => {
    rig = await LedgerRig.create(engine);
    Logger.overrideLogger(false);
  });
  afterEach(() => rig.close());

  /** Dispatches as many events that go to as many endpoints each. */
  const send = async (count: number, fanOut = 1): Promise<string[]> => {
    const type = newId();
    await rig.dispatch.routed(type, fanOut);
    const [outcomes = []] = await rig.dispatch.dispatcher.dispatch([
      requestOf(Array.from({ length: count }, () => incoming({ eventType: type }))),
    ]);
    return outcomes.map(({ id }) => id);
  };

  /** As a by-passing change would be: no ledger is told. */
  const book = (change: (tally: LedgerTally) => void): Promise<void> => {
    const tally = new LedgerTally();
    change(tally);
    return rig.dispatch.storage.transaction((trx) => recordDelta(trx, tally));
  };

  it('counts each event with an open delivery once, leased or not, however many it has', async () => {
    await send(3);
    await send(2, 3);
    const [shared = ''] = await send(1, 4);
    const { storage } = rig.dispatch;
    const rows = await storage.db.selectFrom('deliveries').selectAll().where('event_id', '=', shared).orderBy('id').execute();
    // Of this one the first is settled, the second is leased, the others wait.
    await storage.transaction((trx) =>
      changeDeliveries(storage, trx, [{ id: shared, eventId: shared, source: 'facebook', fanOut: 4 }], async () => {
        await trx
          .updateTable('deliveries')
          .set({ status: 'delivered', next_attempt_at: null, settled_at: 1 })
          .where('id', '=', shared)
          .execute();
        return [{ delivery: { id: shared, eventId: shared, source: 'facebook', fanOut: 4 }, from: 'pending', to: 'delivered' }];
      }),
    );
    await storage.db
      .updateTable('deliveries')
      .set({ leased_by: newId(), lease_until: Date.now() + 60_000 })
      .where('id', '=', rows[1]?.id ?? '')
      .execute();
    expect(await rig.checkNow()).toMatchObject({ differences: [], alarmed: [], sources: ['facebook'] });
    expect(await rig.dispatch.sums()).toMatchObject({ facebook: { accepted: 6, pending: 6 } });
  });

  it('counts through more open deliveries than fit one statement', async () => {
    for (let i = 0; i < 12; i++) await send(100);
    await send(50, 2);
    expect(await rig.checkNow()).toMatchObject({ differences: [] });
    expect(await rig.dispatch.sums()).toMatchObject({ facebook: { pending: 1_250 } });
  });

  it('mends a pending that is wrong, and says how often', async () => {
    await send(4);
    await rig.dispatch.ledger.fold();
    await rig.dispatch.storage.db.updateTable('ledger_totals').set({ pending: 7 }).execute();
    expect(await rig.checkNow()).toMatchObject({ differences: [] });
    expect(await rig.repaired()).toEqual({ ledger_pending: 3 });
    expect(await rig.dispatch.sums()).toMatchObject({ facebook: { accepted: 4, pending: 4 } });
  });

  it('alarms of a sum that has not held for 60 s, and tells who asks for it', async () => {
    const endpoint = endpointRow();
    await rig.dispatch.register({ endpoints: [endpoint], filters: [filterRow({ applications: ['hookline'], endpoints: [endpoint] })] });
    await send(2);
    await rig.dispatch.ledger.fold();
    await rig.dispatch.storage.db.updateTable('ledger_totals').set({ accepted: 3 }).execute();
    const difference = { source: 'facebook', check: 'sum', expected: 3, found: 2, since: rig.nowMs };
    expect(await rig.checkNow()).toMatchObject({ differences: [difference], alarmed: [] });
    rig.pass(59_000);
    expect(await rig.checkNow()).toMatchObject({ differences: [difference], alarmed: [] });
    rig.pass(1_000);
    for (let i = 0; i < 3; i++) expect(await rig.checkNow()).toMatchObject({ differences: [difference], alarmed: ['facebook'] });
    const told = await rig.dispatch.storage.db.selectFrom('events').selectAll().where('application', '=', 'hookline').execute();
    expect(told.map((event) => [event.event_type, JSON.parse(Buffer.from(event.body).toString())])).toEqual([
      ['ledger.imbalance', { ...difference, since: new Date(difference.since).toISOString() }],
    ]);
    await book((tally) => tally.accept('facebook', 'delivered'));
    await rig.dispatch.ledger.fold();
    await rig.dispatch.storage.db.updateTable('ledger_totals').set({ accepted: 3 }).where('source', '=', 'facebook').execute();
    expect(await rig.checkNow()).toMatchObject({ differences: [], alarmed: [] });
  });

  it('sees that a delivery was settled past the ledger', async () => {
    const [id = ''] = await send(2);
    const settled = { status: 'delivered', next_attempt_at: null, settled_at: 1 };
    await rig.dispatch.storage.db.updateTable('deliveries').set(settled).where('event_id', '=', id).execute();
    expect(await rig.checkNow()).toMatchObject({ differences: [{ source: 'facebook', check: 'pending', expected: 1, found: 2 }] });
  });

  describe('at the door', () => {
    it('books what a killed process did not count, once the queues have been empty for 60 s', async () => {
      await send(1);
      for (let second = 0; second < 60; second += 10) {
        expect((await rig.checkNow()).door).toMatchObject({ facebook: { difference: -1 } });
        rig.pass(10_000);
      }
      expect((await rig.checkNow()).door).toEqual({});
      expect(await rig.repaired()).toEqual({ door_uncounted: 1 });
      expect(await rig.dispatch.sums()).toMatchObject({ facebook: { door_confirmed: 1, door_dispatched: 1 } });
    });

    it('begins anew when the difference changes', async () => {
      await send(1);
      await rig.checkNow();
      rig.pass(59_000);
      await send(1);
      await rig.checkNow();
      rig.pass(59_000);
      await rig.checkNow();
      expect(await rig.repaired()).toEqual({});
    });

    it('tells apart what never came out of the broker', async () => {
      await book((tally) => tally.doorConfirmed('facebook', 2));
      await rig.checkNow();
      rig.pass(60_000);
      await rig.checkNow();
      expect(await rig.repaired()).toEqual({ door_missing: 2 });
      const { values } = await rig.dispatch.metrics.missing.get();
      expect(values).toEqual([expect.objectContaining({ labels: { source: 'facebook' }, value: 2 })]);
      expect((await rig.dispatch.sums()).facebook ?? {}).toEqual({});
    });
  });
});
