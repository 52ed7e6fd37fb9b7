import { GatewayError } from '../../src/core/errors';
import { RegistryService } from '../../src/dispatcher/registry/registry.service';
import { RegistryVersion } from '../../src/storage/registry-version';
import { ENGINES } from '../conformance/storage/engines';
import { endpointRow, filterRow } from '../support/registry-rows';
import { testBox } from '../support/secret-box';
import { DispatchRig, incoming, requestOf } from './dispatch-rig';

const message = { accountId: 'default', application: 'facebook', eventType: 'message', level: null };

describe.each(ENGINES)('the registry on $engine', (engine) => {
  let rig: DispatchRig;

  beforeEach(async () => {
    rig = await DispatchRig.create(engine);
  });

  afterEach(async () => {
    await rig?.close();
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
    const before = rig.registry.snapshot;
    await rig.routed('message', 2);
    expect(rig.registry.snapshot.match(message).endpoints).toHaveLength(2);
    expect(before.match(message).endpoints).toHaveLength(0);
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
    const identity = { channel: 'facebook', external_id: '4711', account_id: 'acme', created_at: 1 };
    await rig.storage.insertMany(rig.storage.db, 'account_identities', [identity]);
    await rig.register({});
    const ours = incoming({ identity: { channel: 'facebook', externalId: '4711' } });
    await rig.dispatcher.dispatch([requestOf([ours, incoming()])]);
    const accounts = await rig.storage.db.selectFrom('events').select('account_id').orderBy('account_id').execute();
    expect(accounts.map((row) => row.account_id)).toEqual(['acme', 'default']);
  });
});
