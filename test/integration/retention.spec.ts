import { Logger } from '@nestjs/common';
import { sql } from 'kysely';
import { setImmediate } from 'node:timers/promises';
import { firstIdAt, newId } from '../../src/core/ids';
import { LedgerTally, changeDeliveries, recordDelta } from '../../src/dispatcher/ledger-delta';
import type { RefusalsConfig } from '../../src/refusals/refusals.config';
import { Retention, type RetentionState } from '../../src/retention/retention.service';
import { DROP_LOCK_TIMEOUT_MS, ensurePartitions, partitionsOf } from '../../src/storage/postgres/partitions';
import type { Storage } from '../../src/storage/storage';
import { sampleDelivery, sampleEvent, sampleRows } from '../conformance/storage/sample-rows';
import { ENGINES } from '../conformance/storage/engines';
import { eventually } from '../support/eventually';
import { DispatchRig, incoming, requestOf } from './dispatch-rig';

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
const NOW = Date.now();

/** An id of that moment, unlike any other. */
const idAt = (timeMs: number): string => firstIdAt(timeMs).slice(0, 14) + newId().slice(14);

describe.each(ENGINES)('retention on $engine', (engine) => {
  let rig: DispatchRig;
  let storage: Storage;
  let retention: Retention;
  let state: RetentionState = {};

  beforeEach(async () => {
    rig = await DispatchRig.create(engine);
    Logger.overrideLogger(false);
    storage = rig.storage;
    state = {};
    retention = new Retention(storage, { days: 30 }, { retentionDays: 7 } as RefusalsConfig, rig.metrics);
    if (engine.engine === 'postgres') {
      for (let weeks = 11; weeks > 0; weeks -= 3) {
        await storage.transaction((trx) => ensurePartitions(trx, NOW - weeks * WEEK_MS));
      }
    }
  });
  afterEach(() => rig.close());

  const expire = async (): Promise<void> => {
    state = await retention.expire(state, NOW);
  };

  /** An event with a delivery for each status, each with an attempt, as they were then, and in the ledger. */
  const store = async (daysAgo: number, statuses: string[]): Promise<string> => {
    const atMs = NOW - daysAgo * DAY_MS;
    const id = idAt(atMs);
    const deliveries = statuses.map((status, index) => ({
      ...sampleDelivery(),
      id: index === 0 ? id : idAt(atMs),
      event_id: id,
      source: 'facebook',
      status,
      fan_out: statuses.length,
      attempt_count: 1,
      leased_by: null,
      lease_until: null,
      dead_class: null,
      created_at: atMs,
      next_attempt_at: status === 'waiting' ? NOW + DAY_MS : null,
      settled_at: status === 'waiting' ? null : atMs,
    }));
    const tally = new LedgerTally();
    tally.accept('facebook', statuses.includes('waiting') ? 'pending' : statuses.length === 0 ? 'filtered' : 'delivered');
    await storage.transaction(async (trx) => {
      await storage.insertMany(trx, 'events', [{ ...sampleEvent(), id, source: 'facebook', fan_out: statuses.length }]);
      await storage.insertMany(trx, 'deliveries', deliveries);
      const attempt = { ...sampleRows().attempts, number: 1 };
      await storage.insertMany(
        trx,
        'attempts',
        deliveries.map((row) => ({ ...attempt, delivery_id: row.id })),
      );
      await recordDelta(trx, tally);
    });
    return id;
  };

  const settle = async (id: string, fanOut: number): Promise<void> => {
    const rows = await storage.db.selectFrom('deliveries').selectAll().where('event_id', '=', id).where('status', '=', 'waiting').execute();
    const refs = rows.map((row) => ({ id: row.id, eventId: id, source: 'facebook', fanOut }));
    await storage.transaction((trx) =>
      changeDeliveries(storage, trx, refs, async () => {
        for (const ref of refs) {
          await trx
            .updateTable('deliveries')
            .set({ status: 'delivered', next_attempt_at: null, settled_at: NOW })
            .where('id', '=', ref.id)
            .execute();
        }
        return refs.map((delivery) => ({ delivery, from: 'waiting', to: 'delivered' }));
      }),
    );
  };

  const idsIn = async (table: 'events' | 'deliveries'): Promise<string[]> =>
    (await storage.db.selectFrom(table).select('id').orderBy('id').execute()).map((row) => row.id);
  const attemptCount = async (): Promise<number> => (await storage.db.selectFrom('attempts').select('delivery_id').execute()).length;
  const isSomeoneWaiting = async (): Promise<boolean> =>
    (await sql`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(storage.db)).rows
      .length > 0;
  const oldestWeeks = async (): Promise<number> =>
    (await partitionsOf(storage.db, 'events')).filter(({ to }) => to <= firstIdAt(NOW - 30 * DAY_MS)).length;

  it('deletes events, deliveries and attempts whose time is over, and keeps the ledger', async () => {
    for (let daysAgo = 70; daysAgo > 37; daysAgo -= 3) {
      await store(daysAgo, ['delivered', 'dead', 'cancelled']);
      await store(daysAgo, ['delivered']);
      await store(daysAgo, []);
    }
    const young = await store(29, ['delivered', 'dead']);
    const sums = await rig.sums();
    await expire();
    expect(await idsIn('events')).toEqual([young]);
    expect(await idsIn('deliveries')).toHaveLength(2);
    expect(await attemptCount()).toBe(2);
    expect(await rig.sums()).toEqual(sums);
    if (engine.engine === 'postgres') expect(await oldestWeeks()).toBe(0);
  });

  it('keeps an event with an open delivery, and all that belongs to it, until that is settled', async () => {
    const open = await store(60, ['delivered', 'waiting', 'dead']);
    const beside = await store(60, ['delivered']);
    const stays = engine.engine === 'postgres' ? await oldestWeeks() : 0;
    await expire();
    expect(await idsIn('events')).toEqual([open]);
    expect(await idsIn('events')).not.toContain(beside);
    expect(await idsIn('deliveries')).toHaveLength(3);
    expect(await attemptCount()).toBe(3);
    if (engine.engine === 'postgres') {
      expect(stays).toBeGreaterThan(2);
      expect(await oldestWeeks()).toBe(1);
    }
    await settle(open, 3);
    await expire();
    expect(await idsIn('events')).toEqual([]);
    expect(await idsIn('deliveries')).toEqual([]);
    expect(await attemptCount()).toBe(0);
    if (engine.engine === 'postgres') expect(await oldestWeeks()).toBe(0);
    expect(await rig.sums()).toEqual({ facebook: { accepted: 2, delivered: 1, dead: 1 } });
  });

  it('keeps an event whose delivery is opened again while it looks', async () => {
    // No weeks are left to drop: it is deleted by its rows on both engines.
    await expire();
    const event = await store(100, ['delivered']);
    const stray = await store(101, ['delivered']);
    await storage.db.deleteFrom('events').where('id', '=', stray).execute();
    let expiring: Promise<void> | undefined;
    await storage.transaction(async (trx) => {
      await trx
        .updateTable('deliveries')
        .set({ status: 'waiting', next_attempt_at: NOW, settled_at: null })
        .where('id', 'in', [event, stray])
        .execute();
      expiring = expire();
      if (engine.engine === 'postgres') await eventually('it waits for the row', () => isSomeoneWaiting());
    });
    await expiring;
    expect(await idsIn('deliveries')).toEqual([stray, event]);
    expect(await idsIn('events')).toEqual([event]);
    expect(await attemptCount()).toBe(2);
  });

  it('keeps an old event that a replay sends again, with its earlier deliveries', async () => {
    const replayed = await store(60, ['dead']);
    await storage.insertMany(storage.db, 'deliveries', [
      {
        ...sampleDelivery(),
        id: newId(),
        event_id: replayed,
        source: 'facebook',
        status: 'waiting',
        fan_out: 2,
        next_attempt_at: NOW,
        leased_by: null,
        lease_until: null,
        dead_class: null,
        settled_at: null,
      },
    ]);
    await expire();
    expect(await idsIn('events')).toEqual([replayed]);
    expect(await idsIn('deliveries')).toHaveLength(2);
  });

  it('deletes rows that came before their week had a partition, and those of events that are gone', async () => {
    for (let i = 0; i < 60; i++) await store(120, ['delivered', 'delivered']);
    const lost = await store(130, ['delivered', 'dead']);
    await storage.db.deleteFrom('events').where('id', '=', lost).execute();
    await expire();
    expect(await idsIn('events')).toEqual([]);
    expect(await idsIn('deliveries')).toEqual([]);
    expect(await attemptCount()).toBe(0);
    const { values } = await rig.metrics.expired.get();
    expect(Object.fromEntries(values.map(({ labels, value }) => [labels.table, value]))).toEqual({
      events: 60,
      deliveries: 122,
      attempts: 122,
    });
  });

  it('forgets keys after 8 days and jobs after 30', async () => {
    const key = (name: string, daysAgo: number) => ({
      key: name,
      event_id: newId(),
      request_id: 'r',
      created_at: NOW - daysAgo * DAY_MS,
    });
    await storage.insertMany(storage.db, 'event_keys', [
      ...Array.from({ length: 1_200 }, (_, index) => key(`old ${index}`, 8.01)),
      key('young', 7.9),
    ]);
    const job = (id: string, daysAgo: number | null) => ({
      ...sampleRows().jobs,
      id,
      finished_at: daysAgo === null ? null : NOW - daysAgo * DAY_MS,
    });
    const [young, running] = [newId(), newId()];
    await storage.insertMany(storage.db, 'jobs', [job(newId(), 31), job(young, 29), job(running, null)]);
    await expire();
    expect((await storage.db.selectFrom('event_keys').select('key').execute()).map((row) => row.key)).toEqual(['young']);
    expect((await storage.db.selectFrom('jobs').select('id').execute()).map((row) => row.id).sort()).toEqual([young, running].sort());
  });

  it('lets traffic go on meanwhile', async () => {
    for (let i = 0; i < 60; i++) await store(40 + (i % 30), ['delivered', 'dead']);
    await rig.routed('busy', 2);
    let isDone = false;
    let longestMs = 0;
    let sent = 0;
    const traffic = async (): Promise<void> => {
      while (!isDone) {
        const startMs = performance.now();
        await rig.dispatcher.dispatch([requestOf(Array.from({ length: 20 }, () => incoming({ eventType: 'busy' })))]);
        longestMs = Math.max(longestMs, performance.now() - startMs);
        sent += 20;
        await setImmediate();
      }
    };
    const senders = [traffic(), traffic()];
    await expire();
    isDone = true;
    await Promise.all(senders);
    expect(sent).toBeGreaterThan(0);
    expect(await idsIn('events')).toHaveLength(sent);
    expect((await rig.sums()).facebook).toMatchObject({ accepted: sent + 60, pending: sent });
    // Who queues up behind a drop waits for its lock timeout at most; the rest is the machine's.
    expect(longestMs).toBeLessThan(DROP_LOCK_TIMEOUT_MS + 2_000);
  });

  if (engine.engine === 'postgres') {
    it('tries a drop again that a long transaction stands in the way of', async () => {
      await store(60, ['delivered']);
      let release: () => void = () => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      const reading = storage.transaction(async (trx) => {
        await trx.selectFrom('events').select('id').execute();
        await held;
      });
      const expiring = expire();
      // Behind the tries that fail, others come through.
      for (let i = 0; i < 10; i++) await store(1, ['waiting']);
      expect(await oldestWeeks()).toBeGreaterThan(0);
      release();
      await reading;
      await expiring;
      expect(await oldestWeeks()).toBe(0);
    });

    it('drops the weeks of refused requests', async () => {
      const request = sampleRows().requests;
      await storage.insertMany(storage.db, 'requests', [
        { ...request, id: idAt(NOW - 20 * DAY_MS) },
        { ...request, id: idAt(NOW) },
      ]);
      await expire();
      expect(await storage.db.selectFrom('requests').select('id').execute()).toHaveLength(1);
    });
  }
});
