import { GatewayError } from '../../src/core/errors';
import { RegistryService } from '../../src/dispatcher/registry/registry.service';
import { RegistryVersion } from '../../src/storage/registry-version';
import { ENGINES } from '../conformance/storage/engines';
import { matchable } from '../support/matchable-event';
import { endpointRow, filterRow } from '../support/registry-rows';
import { testBox } from '../support/secret-box';
import { DispatchRig, incoming, requestOf } from './dispatch-rig';

const message = matchable();

describe.each(ENGINES)('the registry on $engine', (engine) => {
  let rig: DispatchRig;

  beforeEach(async () => {
    rig = await DispatchRig.create(engine);
  });

  afterEach(async () => {
    await rig?.close();
  });

  it('follows a change of nothing but a filter’s conditions, whoever writes it', async () => {
    const endpoint = endpointRow();
    const filter = filterRow({ endpoints: [endpoint], where: { 'message.os': 'rhel' } });
    await rig.register({ endpoints: [endpoint], filters: [filter] });
    const gets = async (): Promise<number> => {
      await rig.version.changed();
      return rig.registry.snapshot.match(matchable({ message: { os: 'fedora' } })).endpoints.length;
    };
    expect(await gets()).toBe(0);
    await rig.storage.db.updateTable('filters').set({ where: '{"message.os":"fedora"}' }).where('id', '=', filter.id).execute();
    expect(await gets()).toBe(1);
    await rig.storage.db.updateTable('filters').set({ where: null }).where('id', '=', filter.id).execute();
    expect(await gets()).toBe(1);
  });

  it('knows nothing before it is loaded', () => {
    expect(() => rig.registry.snapshot).toThrow(GatewayError);
  });

  it('is loaded by the first dispatch, so that none filters for want of it', async () => {
    const endpoint = endpointRow();
    await rig.register({ endpoints: [endpoint], filters: [filterRow({ endpoints: [endpoint] })] });
    const other = new RegistryService(rig.storage, new RegistryVersion(rig.storage), testBox);
    const snapshot = await other.ensureLoaded();
    expect(snapshot.match(message).endpoints).toMatchObject([{ id: endpoint.id }]);
    expect(await other.ensureLoaded()).toBe(snapshot);
  });

  it('follows a change', async () => {
    await rig.version.changed();
    expect(rig.registry.snapshot.match(message).endpoints).toHaveLength(0);
    await rig.routed('message', 2);
    expect(rig.registry.snapshot.match(message).endpoints).toHaveLength(2);
  });

  it('follows every kind of change, whoever writes it', async () => {
    const { db } = rig.storage;
    const [a, b] = [endpointRow(), endpointRow()];
    const filter = filterRow({ endpoints: [a, b] });
    const identity = {
      channel: 'facebook',
      external_id: '"1"',
      account_id: 'acme',
      created_at: 1,
      credentials: null,
      credentials_at: null,
    };
    await rig.storage.insertMany(db, 'account_identities', [identity]);
    await rig.register({ endpoints: [a, b], filters: [filter] });
    const matched = async () => {
      await rig.version.changed();
      return rig.registry.snapshot.match(message).endpoints.map((endpoint) => endpoint.id);
    };
    const account = () => rig.registry.snapshot.accountOfIdentity('facebook', '"1"');
    expect([await matched(), account()]).toEqual([[a.id, b.id], 'acme']);
    await db.updateTable('endpoints').set({ enabled: 0 }).where('id', '=', a.id).execute();
    await db.updateTable('account_identities').set({ account_id: 'other' }).execute();
    expect([await matched(), account()]).toEqual([[b.id], 'other']);
    await db
      .updateTable('filters')
      .set({ endpoint_ids: JSON.stringify([a.id]) })
      .execute();
    await db.deleteFrom('account_identities').execute();
    expect([await matched(), account()]).toEqual([[], undefined]);
    await db.updateTable('endpoints').set({ enabled: 1 }).where('id', '=', a.id).execute();
    expect(await matched()).toEqual([a.id]);
    await db.deleteFrom('endpoints').where('id', '=', a.id).execute();
    expect(await matched()).toEqual([]);
    await db.deleteFrom('filters').execute();
    await rig.storage.insertMany(db, 'filters', [filterRow({ endpoints: [b] })]);
    expect(await matched()).toEqual([b.id]);
  });

  it('does not count what attempts note of an endpoint as a change', async () => {
    await rig.routed('message', 1);
    const version = () => rig.storage.db.selectFrom('registry_version').select('version').executeTakeFirstOrThrow();
    const before = await version();
    await rig.storage.db.updateTable('endpoints').set({ failing_since: 7, failure_count: 3 }).execute();
    expect(await version()).toEqual(before);
  });

  it('follows thousands of changes at once', async () => {
    const endpoint = endpointRow();
    await rig.register({ endpoints: [endpoint] });
    const filters = Array.from({ length: 2_500 }, () => filterRow({ endpoints: [endpoint] }));
    await rig.register({ filters });
    expect(rig.registry.snapshot.match(message).endpoints).toHaveLength(1);
    await rig.storage.db.deleteFrom('filters').execute();
    await rig.version.changed();
    expect(rig.registry.snapshot.match(message).endpoints).toEqual([]);
  });

  it('keeps the last snapshot while the storage is away', async () => {
    await rig.routed('message', 1);
    const before = rig.registry.snapshot;
    await rig.storage.close();
    await rig.version.changed();
    await expect(rig.registry.load()).rejects.toThrow();
    expect(rig.registry.snapshot).toBe(before);
  });

  it('keeps the newest of snapshots that overtake one another', async () => {
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        await rig.routed('message', 1);
        await rig.registry.load();
      }),
    );
    expect(rig.registry.snapshot.match(message).endpoints).toHaveLength(10);
  });

  it('maps identities to accounts', async () => {
    const identity = {
      channel: 'facebook',
      external_id: '4711',
      account_id: 'acme',
      created_at: 1,
      credentials: null,
      credentials_at: null,
    };
    await rig.storage.insertMany(rig.storage.db, 'account_identities', [identity]);
    await rig.register({});
    const ours = incoming({ identity: { channel: 'facebook', externalId: '4711' } });
    await rig.dispatcher.dispatch([requestOf([ours, incoming()])]);
    const accounts = await rig.storage.db.selectFrom('events').select('account_id').orderBy('account_id').execute();
    expect(accounts.map((row) => row.account_id)).toEqual(['acme', 'default']);
  });
});
