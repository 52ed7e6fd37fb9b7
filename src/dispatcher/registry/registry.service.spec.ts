import { endpointRow, filterRow } from '../../../test/support/registry-rows';
import { matchable } from '../../../test/support/matchable-event';
import { testBox } from '../../../test/support/secret-box';
import { GatewayError } from '../../core/errors';
import type { RegistryVersion } from '../../storage/registry-version';
import type { Storage } from '../../storage/storage';
import type { RegistryRead } from './registry-rows';
import { RegistryService } from './registry.service';

/** A read of the registry that answers when it is told to. */
interface Read {
  answer(read: Partial<RegistryRead>): void;
  fail(): void;
}

const nothing: RegistryRead = { version: 1, endpoints: [], filters: [], identities: [], gone: undefined };
const NONE_GONE = { endpoints: [], filters: [], identities: [] };

function registryOver(): { registry: RegistryService; reads: Read[]; change: () => Promise<void> } {
  const reads: Read[] = [];
  const listeners: (() => Promise<void>)[] = [];
  const storage = {
    engine: 'sqlite',
    snapshot: () =>
      new Promise((resolve, reject) => {
        reads.push({
          answer: (read) => resolve({ ...nothing, ...read }),
          fail: () => reject(new GatewayError('storage_unavailable')),
        });
      }),
  } as unknown as Storage;
  const version = { onChange: (listener: () => Promise<void>) => listeners.push(listener) } as unknown as RegistryVersion;
  const registry = new RegistryService(storage, version, testBox);
  return { registry, reads, change: async () => void (await Promise.all(listeners.map((listener) => listener()))) };
}

const turns = () => new Promise((resolve) => setImmediate(resolve));
const endpoint = endpointRow({ id: 'a' });
const event = matchable();

describe('the registry’s snapshot', () => {
  it('is read one time after the other, so that none overtakes another', async () => {
    const { registry, reads, change } = registryOver();
    const both = [change(), change()];
    await turns();
    expect(reads).toHaveLength(1);
    reads[0]?.answer({ endpoints: [endpoint] });
    await both[0];
    await turns();
    reads[1]?.answer({ version: 2, endpoints: [endpointRow({ id: 'b' })], gone: NONE_GONE });
    await both[1];
    expect([registry.snapshot.endpoint('a')?.id, registry.snapshot.endpoint('b')?.id]).toEqual(['a', 'b']);
  });

  it('takes over what has changed and what has gone', async () => {
    const { registry, reads, change } = registryOver();
    const filter = filterRow({ endpoints: [endpoint] });
    const identity = { channel: 'facebook', external_id: '1', account_id: 'acme', created_at: 1 };
    const first = change();
    await turns();
    reads[0]?.answer({ endpoints: [endpoint], filters: [filter], identities: [identity] });
    await first;
    expect(registry.snapshot.match(event).endpoints).toMatchObject([{ id: 'a' }]);
    expect(registry.snapshot.accountOfIdentity('facebook', '1')).toBe('acme');

    const disabled = change();
    await turns();
    reads[1]?.answer({ endpoints: [{ ...endpoint, enabled: 0 }], gone: NONE_GONE });
    await disabled;
    expect(registry.snapshot.match(event)).toEqual({ endpoints: [], disabledOnly: true });

    const narrowed = change();
    await turns();
    reads[2]?.answer({ endpoints: [endpoint], filters: [{ ...filter, levels: '["error"]' }], gone: NONE_GONE });
    await narrowed;
    expect(registry.snapshot.match(event).endpoints).toEqual([]);
    expect(registry.snapshot.match({ ...event, level: 'error' }).endpoints).toHaveLength(1);

    const removed = change();
    await turns();
    reads[3]?.answer({ gone: { endpoints: ['a'], filters: [filter.id], identities: [{ channel: 'facebook', externalId: '1' }] } });
    await removed;
    expect(registry.snapshot.match({ ...event, level: 'error' })).toEqual({ endpoints: [], disabledOnly: false });
    expect(registry.snapshot.endpoint('a')).toBeUndefined();
    expect(registry.snapshot.accountOfIdentity('facebook', '1')).toBeUndefined();
  });

  it('serves as it is while everything is read anew, and shows nothing of it before all is there', async () => {
    const { registry, reads, change } = registryOver();
    const first = change();
    await turns();
    reads[0]?.answer({ endpoints: [endpoint] });
    await first;
    const many = Array.from({ length: 3_000 }, (_, index) => endpointRow({ id: `n${index}` }));
    const before = registry.snapshot;
    const second = change();
    await turns();
    reads[1]?.answer({ endpoints: many });
    await turns();
    expect(registry.snapshot).toBe(before);
    await second;
    expect([registry.snapshot.endpoint('a'), registry.snapshot.endpoint('n2999')?.id]).toEqual([undefined, 'n2999']);
  });

  it('is loaded by the first that needs it, and not again', async () => {
    const { registry, reads } = registryOver();
    const needed = registry.ensureLoaded();
    await turns();
    reads[0]?.answer({});
    const loaded = await needed;
    expect(await registry.ensureLoaded()).toBe(loaded);
    expect(reads).toHaveLength(1);
  });

  it('stays when the storage goes away', async () => {
    const { registry, reads, change } = registryOver();
    const first = change();
    await turns();
    reads[0]?.answer({ endpoints: [endpoint] });
    await first;
    const second = change();
    await turns();
    reads[1]?.fail();
    await expect(second).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(registry.snapshot.endpoint('a')).toBeDefined();
  });

  it('is refused while there is none', async () => {
    const { registry, reads } = registryOver();
    const needed = registry.ensureLoaded();
    await turns();
    reads[0]?.fail();
    await expect(needed).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(() => registry.snapshot).toThrow(GatewayError);
  });
});
