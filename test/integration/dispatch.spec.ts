import { BOOT_ID } from '../../src/core/ids';
import { fromEventRow } from '../../src/dispatcher/stored-event';
import { ENGINES } from '../conformance/storage/engines';
import { endpointRow, filterRow } from '../support/registry-rows';
import { DispatchRig, LEASE_MS, incoming, requestOf } from './dispatch-rig';

describe.each(ENGINES)('dispatch on $engine', (engine) => {
  let rig: DispatchRig;

  beforeEach(async () => {
    rig = await DispatchRig.create(engine);
  });

  afterEach(async () => {
    await rig?.close();
  });

  describe('what is stored', () => {
    it('keeps an event and a due delivery for each endpoint', async () => {
      const endpoints = await rig.routed('message', 2);
      const body = Buffer.from('{"entry":[{"n":12345678901234567890}]}');
      const event = incoming({ level: 'info', context: Buffer.from('{"object":"page"}'), body, data: body.subarray(10, 36) });
      const request = requestOf([event]);
      const before = Date.now();

      const [[outcome] = []] = await rig.dispatcher.dispatch([request]);

      const stored = await rig.storage.db.selectFrom('events').selectAll().executeTakeFirstOrThrow();
      expect(stored).toMatchObject({ id: outcome?.id, fan_out: 2, filtered_reason: null, data: null });
      expect(fromEventRow(stored)).toMatchObject({
        accountId: 'default',
        source: 'facebook',
        eventType: 'message',
        level: 'info',
        requestId: request.requestId,
        receivedAt: request.receivedAt,
        context: event.context,
        data: event.data,
        body,
      });
      const deliveries = await rig.storage.db.selectFrom('deliveries').selectAll().execute();
      expect(deliveries.map((row) => row.endpoint_id).sort()).toEqual(endpoints.map((row) => row.id).sort());
      for (const row of deliveries) {
        expect(row).toMatchObject({ event_id: outcome?.id, status: 'pending', attempt_count: 0, fan_out: 2, leased_by: null });
        expect(row.next_attempt_at).toBeGreaterThanOrEqual(before);
      }
      expect(rig.runner.started).toEqual([]);
    });

    it('leases what the runner has room for and starts it after the commit', async () => {
      await rig.routed('message', 3);
      rig.runner.free = 2;
      await rig.dispatcher.dispatch([requestOf([incoming()])]);

      const leased = await rig.storage.db.selectFrom('deliveries').selectAll().where('leased_by', '=', BOOT_ID).execute();
      expect(leased.map((row) => row.id).sort()).toEqual(rig.runner.started.map((job) => job.deliveryId).sort());
      expect(leased).toHaveLength(2);
      for (const row of leased) expect(row.lease_until).toBe(row.created_at + LEASE_MS);
      expect(rig.runner.started[0]).toMatchObject({ attemptCount: 0, fanOut: 3, event: { eventType: 'message' } });
      expect(rig.runner.free).toBe(0);
    });

    it.each([
      { what: 'nothing wants', eventType: 'echo', reason: 'no_filter' },
      { what: 'only a disabled endpoint wants', eventType: 'message', reason: 'endpoint_disabled' },
    ])('filters an event that $what', async ({ eventType, reason }) => {
      const disabled = endpointRow({ enabled: 0 });
      await rig.register({ endpoints: [disabled], filters: [filterRow({ eventTypes: ['message'], endpoints: [disabled] })] });
      await rig.dispatcher.dispatch([requestOf([incoming({ eventType })])]);
      const stored = await rig.storage.db.selectFrom('events').select(['fan_out', 'filtered_reason']).execute();
      expect(stored.map((row) => ({ ...row }))).toEqual([{ fan_out: 0, filtered_reason: reason }]);
      expect(await rig.sums()).toEqual({ facebook: { accepted: 1, filtered: 1, door_dispatched: 1 } });
    });

    it('gives to nobody what is withheld', async () => {
      await rig.routed('message', 2);
      await rig.dispatcher.dispatch([requestOf([incoming({ withheld: 'own_bot' })])]);
      const stored = await rig.storage.db.selectFrom('events').select(['fan_out', 'filtered_reason']).execute();
      expect(stored.map((row) => ({ ...row }))).toEqual([{ fan_out: 0, filtered_reason: 'own_bot' }]);
      expect(await rig.sums()).toEqual({ facebook: { accepted: 1, filtered: 1, door_dispatched: 1 } });
    });

    it('takes any text a sender can write', async () => {
      const awkward = '\ud800\0"\',\\{}NULL\n€𝄞'.repeat(300);
      const event = incoming({ application: awkward, eventType: awkward, level: awkward, timestamp: awkward, contentType: awkward });
      await rig.dispatcher.dispatch([requestOf([{ ...event, dedupeKey: awkward, accountId: awkward }])]);
      expect((await rig.dispatcher.dispatch([requestOf([{ ...event, dedupeKey: awkward, accountId: awkward }])]))[0]).toMatchObject([
        { duplicate: true },
      ]);
      expect(await rig.sums()).toEqual({ facebook: { accepted: 2, filtered: 1, duplicate: 1, door_dispatched: 2 } });
    });
  });

  describe('when the transaction fails', () => {
    it('writes nothing, gives the slots back, and the next try is whole', async () => {
      await rig.routed('message', 3);
      rig.runner.free = 2;
      const request = requestOf([incoming(), incoming({ eventType: 'echo' })]);
      const crash = new Error('the plug was pulled');
      await expect(rig.dispatcher.dispatch([request], { within: () => Promise.reject(crash) })).rejects.toThrow(crash);

      for (const table of ['events', 'deliveries', 'event_keys', 'ledger_deltas'] as const) expect(await rig.count(table)).toBe(0);
      expect(rig.runner).toMatchObject({ free: 2, started: [] });

      expect(await rig.dispatcher.dispatch([request])).toMatchObject([[{ duplicate: false }, { duplicate: false }]]);
      expect(await rig.count('deliveries')).toBe(3);
      expect(await rig.sums()).toEqual({ facebook: { accepted: 2, pending: 1, filtered: 1, door_dispatched: 1 } });
    });

    it('commits what `within` writes with the rest, and shows it the outcomes', async () => {
      const outcomes = await rig.dispatcher.dispatch([requestOf([incoming()])], {
        within: async (trx, seen) => {
          await trx
            .insertInto('meta')
            .values({ key: 'seen', value: JSON.stringify(seen) })
            .execute();
        },
      });
      const { value } = await rig.storage.db.selectFrom('meta').select('value').where('key', '=', 'seen').executeTakeFirstOrThrow();
      expect(JSON.parse(value)).toEqual(outcomes);
    });
  });

  it('counts the outcomes of a group in the metrics', async () => {
    await rig.routed('message', 2);
    const twice = incoming({ dedupeKey: 'm' });
    await rig.dispatcher.dispatch([requestOf([incoming(), twice, twice]), requestOf([incoming({ eventType: 'echo' })])]);
    await rig.dispatcher.recordPoison('facebook', 'p');
    const { values } = await rig.metrics.events.get();
    const byOutcome = Object.fromEntries(values.map(({ labels, value }) => [`${labels.source} ${labels.outcome}`, value]));
    expect(byOutcome).toEqual({ 'facebook matched': 2, 'facebook duplicate': 1, 'facebook filtered': 1, 'facebook poison': 1 });
  });

  it('counts a poison message once, however often it is recorded', async () => {
    const record = () => rig.dispatcher.recordPoison('facebook', 'r1');
    await Promise.all([record(), record()]);
    await record();
    await rig.dispatcher.recordPoison('facebook', 'r2');
    expect(await rig.sums()).toEqual({ facebook: { accepted: 2, dead: 2, door_dispatched: 2 } });
  });
});
