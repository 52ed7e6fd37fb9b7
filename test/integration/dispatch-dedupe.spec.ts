import type { IncomingRequest } from '../../src/core/hook-event';
import { ENGINES } from '../conformance/storage/engines';
import { DispatchRig, incoming, requestOf } from './dispatch-rig';

const keyed = (...keys: string[]) => keys.map((dedupeKey) => incoming({ dedupeKey }));
const r1 = (...keys: string[]) => requestOf(keyed(...keys), { requestId: 'r1' });
const r2 = (...keys: string[]) => requestOf(keyed(...keys), { requestId: 'r2' });
const unkeyed = (requestId: string) => requestOf([incoming(), incoming()], { requestId });

interface Case {
  rule: string;
  groups: IncomingRequest[][];
  /** Of the last group: for each event whether it is a duplicate. */
  duplicates: boolean[][];
  accepted: number;
  duplicate: number;
  dispatched: number;
}

const CASES: Case[] = [
  { rule: 'one request', groups: [[r1('a', 'b')]], duplicates: [[false, false]], accepted: 2, duplicate: 0, dispatched: 1 },
  {
    rule: 'no key: the request’s id is the key',
    groups: [[unkeyed('r1')], [unkeyed('r2')]],
    duplicates: [[false, false]],
    accepted: 4,
    duplicate: 0,
    dispatched: 2,
  },
  {
    rule: 'no key, redelivered',
    groups: [[unkeyed('r1')], [unkeyed('r1')]],
    duplicates: [[false, false]],
    accepted: 2,
    duplicate: 0,
    dispatched: 1,
  },
  { rule: 'redelivered', groups: [[r1('a', 'b')], [r1('a', 'b')]], duplicates: [[false, false]], accepted: 2, duplicate: 0, dispatched: 1 },
  { rule: 'sent again by the platform', groups: [[r1('a')], [r2('a')]], duplicates: [[true]], accepted: 2, duplicate: 1, dispatched: 2 },
  {
    rule: 'sent again, in part',
    groups: [[r1('a')], [r2('a', 'b')]],
    duplicates: [[true, false]],
    accepted: 3,
    duplicate: 1,
    dispatched: 2,
  },
  {
    rule: 'sent again in part, redelivered',
    groups: [[r1('a')], [r2('a', 'b')], [r2('a', 'b')]],
    duplicates: [[true, false]],
    accepted: 3,
    duplicate: 1,
    dispatched: 2,
  },
  {
    rule: 'sent again whole, redelivered',
    groups: [[r1('a')], [r2('a')], [r2('a')]],
    duplicates: [[true]],
    accepted: 2,
    duplicate: 1,
    dispatched: 2,
  },
  { rule: 'twice in a request', groups: [[r1('a', 'a')]], duplicates: [[false, true]], accepted: 2, duplicate: 1, dispatched: 1 },
  { rule: 'twice in a group', groups: [[r1('a'), r2('a')]], duplicates: [[false], [true]], accepted: 2, duplicate: 1, dispatched: 2 },
  {
    rule: 'twice in a group, redelivered',
    groups: [
      [r1('a'), r2('a')],
      [r2('a'), r1('a')],
    ],
    duplicates: [[true], [false]],
    accepted: 2,
    duplicate: 1,
    dispatched: 2,
  },
  {
    rule: 'a message that came twice in a group',
    groups: [[r1('a', 'b'), r1('a', 'b')]],
    duplicates: [
      [false, false],
      [false, false],
    ],
    accepted: 2,
    duplicate: 0,
    dispatched: 1,
  },
  {
    rule: 'a duplicate that came twice in a group',
    groups: [[r1('a')], [r2('a'), r2('a')]],
    duplicates: [[true], [true]],
    accepted: 2,
    duplicate: 1,
    dispatched: 2,
  },
  { rule: 'without events', groups: [[r1()]], duplicates: [[]], accepted: 0, duplicate: 0, dispatched: 1 },
  { rule: 'without events, redelivered', groups: [[r1()], [r1()]], duplicates: [[]], accepted: 0, duplicate: 0, dispatched: 1 },
  {
    rule: 'a redelivery with more in it',
    groups: [[r1('a')], [r1('a', 'b')]],
    duplicates: [[false, false]],
    accepted: 2,
    duplicate: 0,
    dispatched: 1,
  },
];

describe.each(ENGINES)('dedupe on $engine', (engine) => {
  let rig: DispatchRig;

  beforeEach(async () => {
    rig = await DispatchRig.create(engine);
    await rig.routed('message', 1);
  });

  afterEach(async () => {
    await rig?.close();
  });

  it.each(CASES)('$rule', async ({ groups, duplicates, accepted, duplicate, dispatched }) => {
    const idByKey = new Map<string, string>();
    let last: boolean[][] = [];
    for (const group of groups) {
      const outcomes = await rig.dispatcher.dispatch(group);
      last = outcomes.map((events) => events.map((event) => event.duplicate));
      group.forEach((request, r) =>
        request.events.forEach((event, e) => {
          const key = event.dedupeKey ?? `${request.requestId}#${e}`;
          const id = outcomes[r]?.[e]?.id ?? 'none';
          expect(idByKey.get(key) ?? id).toBe(id);
          idByKey.set(key, id);
        }),
      );
    }
    expect(last).toEqual(duplicates);
    const { facebook } = await rig.sums();
    expect({ accepted: 0, duplicate: 0, pending: 0, ...facebook }).toEqual({
      accepted,
      duplicate,
      pending: accepted - duplicate,
      door_dispatched: dispatched,
    });
    const stored = await rig.storage.db.selectFrom('events').select('id').execute();
    expect(stored.map((row) => row.id).sort()).toEqual([...idByKey.values()].sort());
    expect(await rig.count('deliveries')).toBe(idByKey.size);
  });

  it('takes slots and starts attempts for what is new of a group only', async () => {
    rig.runner.free = 10;
    await rig.dispatcher.dispatch([r1('a')]);
    await rig.dispatcher.dispatch([r2('a', 'b')]);
    expect(rig.runner).toMatchObject({ free: 8, started: { length: 2 } });
    const leased = await rig.storage.db.selectFrom('deliveries').select('id').where('leased_by', 'is not', null).execute();
    expect(rig.runner.started.map((job) => job.deliveryId).sort()).toEqual(leased.map((row) => row.id).sort());
  });

  it('goes by one statement again when duplicates have stopped', async () => {
    await rig.dispatcher.dispatch([r1('a')]);
    await rig.dispatcher.dispatch([r2('a')]);
    jest.useFakeTimers({ now: Date.now() + 60_000, doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'clearTimeout', 'performance'] });
    await rig.dispatcher.dispatch([requestOf(keyed('c'), { requestId: 'r3' })]).finally(() => jest.useRealTimers());
    expect(await rig.sums()).toEqual({ facebook: { accepted: 3, pending: 2, duplicate: 1, door_dispatched: 3 } });
  });

  it('keeps accounts and sources apart', async () => {
    const event = incoming({ dedupeKey: 'a' });
    const outcomes = await rig.dispatcher.dispatch([
      requestOf([event, { ...event, accountId: 'acme' }]),
      requestOf([event], { source: 'twilio' }),
    ]);
    expect(outcomes.flat().map((outcome) => outcome.duplicate)).toEqual([false, false, false]);
  });

  it('counts no door for events that came by REST', async () => {
    const byRest = () => requestOf([incoming({ dedupeKey: 'a' })], { source: 'events' });
    await rig.dispatcher.dispatch([byRest()]);
    await rig.dispatcher.dispatch([byRest()]);
    expect(await rig.sums()).toEqual({ events: { accepted: 2, pending: 1, duplicate: 1 } });
  });

  it('lets one of many concurrent dispatches of the same keys win each key', async () => {
    const keys = Array.from({ length: 40 }, (_, index) => `k${index}`);
    const shuffled = (round: number) => [...keys.slice(round * 5), ...keys.slice(0, round * 5)];
    const groups = Array.from({ length: 8 }, (_, round) =>
      shuffled(round).map((dedupeKey) => requestOf([incoming({ dedupeKey })], { requestId: `r${round}-${dedupeKey}` })),
    );
    const outcomes = (await Promise.all(groups.map((group) => rig.dispatcher.dispatch(group)))).flat(2);
    expect(outcomes.filter((outcome) => !outcome.duplicate)).toHaveLength(40);
    expect(new Set(outcomes.map((outcome) => outcome.id)).size).toBe(40);
    expect(await rig.sums()).toEqual({ facebook: { accepted: 320, pending: 40, duplicate: 280, door_dispatched: 320 } });
  });

  it('counts a request once that two processes dispatch at once', async () => {
    await rig.dispatcher.dispatch([r1('a')]);
    const twice = [r1('a', 'b'), r2('a'), r2()];
    await Promise.all([rig.dispatcher.dispatch(twice), rig.dispatcher.dispatch([...twice].reverse()), rig.dispatcher.dispatch(twice)]);
    expect(await rig.sums()).toEqual({ facebook: { accepted: 3, pending: 2, duplicate: 1, door_dispatched: 2 } });
  });
});
