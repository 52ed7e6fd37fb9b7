import { Logger } from '@nestjs/common';
import { sql } from 'kysely';
import { newId } from '../../src/core/ids';
import { changeDeliveries } from '../../src/dispatcher/ledger-delta';
import { ENGINES } from '../conformance/storage/engines';
import type { EndpointRow } from '../support/registry-rows';
import { incoming, requestOf } from './dispatch-rig';
import { LedgerRig } from './ledger-rig';

describe.each(ENGINES)('the reconciler on $engine', (engine) => {
  let rig: LedgerRig;

  beforeEach(async () => {
    rig = await LedgerRig.create(engine);
    Logger.overrideLogger(false);
  });
  afterEach(() => rig.close());

  /** As many events, and the endpoints that they go to. */
  const send = async (count: number, fanOut = 1): Promise<{ ids: string[]; endpoints: EndpointRow[] }> => {
    const type = newId();
    const endpoints = await rig.dispatch.routed(type, fanOut);
    const [outcomes = []] = await rig.dispatch.dispatcher.dispatch([
      requestOf(Array.from({ length: count }, () => incoming({ eventType: type }))),
    ]);
    return { ids: outcomes.map(({ id }) => id), endpoints };
  };

  const settle = async (id: string): Promise<void> => {
    const { storage } = rig.dispatch;
    const ref = { id, eventId: id, source: 'facebook', fanOut: 1 };
    await storage.transaction((trx) =>
      changeDeliveries(storage, trx, [ref], async () => {
        const settled = { status: 'delivered', attempt_count: 1, next_attempt_at: null, settled_at: Date.now() };
        await trx.updateTable('deliveries').set(settled).where('id', '=', id).execute();
        return [{ delivery: ref, from: 'pending', to: 'delivered' }];
      }),
    );
  };

  const spoil = async (id: string, columns: Record<string, unknown>): Promise<void> => {
    await rig.dispatch.storage.db.updateTable('deliveries').set(columns).where('id', '=', id).execute();
  };

  const deliveriesOf = (eventId: string) =>
    rig.dispatch.storage.db.selectFrom('deliveries').selectAll().where('event_id', '=', eventId).orderBy('id').execute();

  /** The ledger agrees with the tables, and a further look finds nothing. */
  const expectExact = async (): Promise<void> => {
    rig.pass(60_000);
    expect((await rig.checkNow()).differences).toEqual([]);
    const repaired = await rig.repaired();
    await rig.reconcile();
    expect(await rig.repaired()).toEqual(repaired);
  };

  it('finds nothing where all is well', async () => {
    const { ids } = await send(3);
    await send(2, 3);
    await settle(ids[0] as string);
    await rig.reconcile();
    expect(await rig.repaired()).toEqual({});
  });

  it('makes deliveries anew that an event has lost', async () => {
    const { ids } = await send(2, 3);
    const [lostAll = '', lostOne = ''] = ids;
    const { db } = rig.dispatch.storage;
    await db.deleteFrom('deliveries').where('event_id', '=', lostAll).execute();
    await db.deleteFrom('deliveries').where('id', '=', lostOne).execute();
    expect((await rig.checkNow()).differences).toMatchObject([{ check: 'pending', expected: 1, found: 2 }]);
    await rig.reconcile();
    expect(await rig.repaired()).toEqual({ event_without_deliveries: 2 });
    for (const id of ids) {
      const deliveries = await deliveriesOf(id);
      expect(new Set(deliveries.map((row) => row.endpoint_id)).size).toBe(3);
      expect(deliveries.map((row) => [row.status, row.fan_out])).toEqual(Array(3).fill(['pending', 3]));
      expect(deliveries[0]?.id).toBe(id);
    }
    await expectExact();
  });

  it('numbers the attempts of a delivery that it made anew after those that were made of the lost one', async () => {
    const { ids } = await send(1);
    const [id = ''] = ids;
    const { storage } = rig.dispatch;
    const attempt = { delivery_id: id, at: 1, status: 'failed', code: '500', duration_ms: 1, address: null, response_head: null };
    await storage.insertMany(
      storage.db,
      'attempts',
      [1, 2].map((number) => ({ ...attempt, number })),
    );
    await storage.db.deleteFrom('deliveries').where('id', '=', id).execute();
    await rig.reconcile();
    // Else its next result could never be written, and it would be sent for ever.
    expect(await deliveriesOf(id)).toMatchObject([{ id, status: 'waiting', attempt_count: 2, attempts_before: 2 }]);
    await expectExact();
  });

  const attempted = (id: string, status: 'failed' | 'succeeded') => {
    const { storage } = rig.dispatch;
    const attempt = { delivery_id: id, number: 1, at: 1, code: '1', duration_ms: 1, address: null, response_head: null };
    return storage.insertMany(storage.db, 'attempts', [{ ...attempt, status }]);
  };

  it('does not send anew what had arrived before it was lost', async () => {
    const { ids } = await send(2);
    const { db } = rig.dispatch.storage;
    for (const id of ids) {
      await attempted(id, 'succeeded');
      await settle(id);
    }
    await db.deleteFrom('deliveries').where('event_id', 'in', ids).execute();
    await rig.reconcile();
    expect(await rig.repaired()).toEqual({ event_without_deliveries: 2 });
    for (const id of ids) expect(await deliveriesOf(id)).toMatchObject([{ id, status: 'delivered', attempt_count: 1, leased_by: null }]);
    expect(await rig.dispatch.sums()).toMatchObject({ facebook: { accepted: 2, delivered: 2 } });
    await expectExact();
  });

  it('leaves an event delivered whose only delivery had arrived and that matches nothing any more', async () => {
    const { ids } = await send(1);
    const { db } = rig.dispatch.storage;
    await attempted(ids[0] as string, 'succeeded');
    await settle(ids[0] as string);
    await db.deleteFrom('deliveries').execute();
    await db.deleteFrom('filters').execute();
    await rig.dispatch.register({});
    await rig.reconcile();
    expect(await db.selectFrom('events').select(['fan_out', 'filtered_reason']).execute()).toEqual([{ fan_out: 0, filtered_reason: null }]);
    expect(await rig.dispatch.sums()).toMatchObject({ facebook: { accepted: 1, delivered: 1 } });
    await expectExact();
  });

  it('books an event that was settled, of which nobody knows how, as pending when it is sent anew', async () => {
    const { ids } = await send(3);
    const [settled = '', open = '', failed = ''] = ids;
    await settle(settled);
    await attempted(failed, 'failed');
    await rig.dispatch.storage.db.deleteFrom('deliveries').where('event_id', 'in', [settled, open]).execute();
    await rig.reconcile();
    expect((await deliveriesOf(settled)).map((row) => row.status)).toEqual(['pending']);
    expect(await rig.dispatch.sums()).toMatchObject({ facebook: { accepted: 3, pending: 3 } });
    await expectExact();
  });

  it('makes an event filtered that has lost its deliveries and matches nothing any more', async () => {
    const { ids, endpoints } = await send(1, 2);
    const [id = ''] = ids;
    const { db } = rig.dispatch.storage;
    await db.deleteFrom('deliveries').where('event_id', '=', id).execute();
    await db.deleteFrom('filters').execute();
    await rig.dispatch.register({});
    await rig.reconcile();
    expect(await db.selectFrom('events').select(['fan_out', 'filtered_reason']).execute()).toEqual([
      { fan_out: 0, filtered_reason: 'no_filter' },
    ]);
    expect(endpoints).toHaveLength(2);
    expect(await rig.dispatch.sums()).toMatchObject({ facebook: { accepted: 1, filtered: 1 } });
    await expectExact();
  });

  it('buries deliveries whose event is no more', async () => {
    const { ids } = await send(2);
    const shared = await send(1, 2);
    const gone = [ids[0] as string, shared.ids[0] as string];
    await rig.dispatch.storage.db.deleteFrom('events').where('id', 'in', gone).execute();
    await rig.reconcile();
    expect(await rig.repaired()).toEqual({ event_missing: 3 });
    for (const id of gone) {
      expect((await deliveriesOf(id)).map((row) => [row.status, row.dead_class, row.reason])).toEqual(
        (await deliveriesOf(id)).map(() => ['dead', 'pipeline', 'event_missing']),
      );
    }
    expect(await rig.dispatch.sums()).toMatchObject({ facebook: { accepted: 3, dead: 2, pending: 1 } });
    await expectExact();
  });

  it('cancels deliveries whose endpoint is no more', async () => {
    const { endpoints } = await send(2, 2);
    const { db } = rig.dispatch.storage;
    await db
      .deleteFrom('endpoints')
      .where('id', '=', endpoints[0]?.id ?? '')
      .execute();
    await rig.reconcile();
    // It may have been deleted this very moment: the puller's turn comes first.
    expect(await rig.repaired()).toEqual({});
    await rig.reconcile();
    expect(await rig.repaired()).toEqual({ endpoint_missing: 2 });
    await db
      .deleteFrom('endpoints')
      .where('id', '=', endpoints[1]?.id ?? '')
      .execute();
    await rig.reconcile();
    await rig.reconcile();
    expect(await rig.repaired()).toEqual({ endpoint_missing: 4 });
    expect(await rig.dispatch.sums()).toMatchObject({ facebook: { accepted: 2, cancelled: 2 } });
    await expectExact();
  });

  it.each([
    { what: 'open and never due', kind: 'open_without_time', columns: { next_attempt_at: null }, mended: { status: 'pending' } },
    {
      what: 'dead without having been settled',
      kind: 'open_without_time',
      columns: { status: 'dead', next_attempt_at: null, attempt_count: 3 },
      mended: { status: 'waiting', settled_at: null },
    },
    {
      what: 'called delivered without having been settled, and due',
      kind: 'open_without_time',
      columns: { status: 'delivered' },
      mended: { status: 'pending' },
    },
    {
      what: 'leased without an end',
      kind: 'lease_without_end',
      columns: { leased_by: newId() },
      mended: { status: 'pending', leased_by: null },
    },
    { what: 'leased by nobody', kind: 'lease_without_end', columns: { lease_until: 1 }, mended: { status: 'pending', lease_until: null } },
  ])('mends an open delivery that is $what', async ({ kind, columns, mended }) => {
    const { ids } = await send(2);
    await spoil(ids[0] as string, columns);
    await rig.reconcile();
    expect(await rig.repaired()).toEqual({ [kind]: 1 });
    expect(await deliveriesOf(ids[0] as string)).toMatchObject([{ ...mended, next_attempt_at: expect.any(Number), leased_by: null }]);
    expect(await rig.dispatch.sums()).toMatchObject({ facebook: { accepted: 2, pending: 2 } });
    await expectExact();
  });

  it.each([
    { what: 'due', kind: 'settled_but_due', columns: { next_attempt_at: 1 } },
    { what: 'leased', kind: 'settled_with_lease', columns: { leased_by: newId(), lease_until: Date.now() + 1e9 } },
    { what: 'leased without an end', kind: 'settled_with_lease', columns: { leased_by: newId() } },
    { what: 'due and leased', kind: 'settled_but_due', columns: { next_attempt_at: 1, leased_by: newId(), lease_until: 1 } },
  ])('mends a settled delivery that is $what', async ({ kind, columns }) => {
    const { ids } = await send(2);
    const [id = ''] = ids;
    await settle(id);
    await spoil(id, columns);
    await rig.reconcile();
    expect(await rig.repaired()).toEqual({ [kind]: 1 });
    expect(await deliveriesOf(id)).toMatchObject([{ status: 'delivered', next_attempt_at: null, leased_by: null, lease_until: null }]);
    expect(await rig.dispatch.sums()).toMatchObject({ facebook: { accepted: 2, delivered: 1, pending: 1 } });
    await expectExact();
  });

  it('comes through tables that are larger than a turn, and begins again', async () => {
    for (let i = 0; i < 8; i++) await send(100);
    const { db } = rig.dispatch.storage;
    await sql`update deliveries set next_attempt_at = null`.execute(db);
    await rig.reconcile();
    expect(await rig.repaired()).toEqual({ open_without_time: 800 });
    await sql`update deliveries set next_attempt_at = null`.execute(db);
    await rig.reconcile();
    expect(await rig.repaired()).toEqual({ open_without_time: 1_600 });
  });
});
