import { endpointRow } from '../../../test/support/registry-rows';
import { testBox } from '../../../test/support/secret-box';
import { GatewayError } from '../../core/errors';
import type { RegistryVersion } from '../../storage/registry-version';
import type { Storage } from '../../storage/storage';
import { RegistryService } from './registry.service';

/** A load of the registry that answers when it is told to. */
interface Load {
  answer(version: number): void;
  fail(): void;
}

function registryOver(): { registry: RegistryService; loads: Load[]; change: () => Promise<void> } {
  const loads: Load[] = [];
  const listeners: (() => Promise<void>)[] = [];
  const storage = {
    engine: 'sqlite',
    transaction: () =>
      new Promise((resolve, reject) => {
        loads.push({
          answer: (version) => resolve({ version, endpoints: [endpointRow({ id: `of-${version}` })], filters: [], identities: [] }),
          fail: () => reject(new GatewayError('storage_unavailable')),
        });
      }),
  } as unknown as Storage;
  const version = { onChange: (listener: () => Promise<void>) => listeners.push(listener) } as unknown as RegistryVersion;
  const registry = new RegistryService(storage, version, testBox);
  return { registry, loads, change: async () => void (await Promise.all(listeners.map((listener) => listener()))) };
}

describe('the registry’s snapshot', () => {
  it('is of the newest version, even when an older load ends later', async () => {
    const { registry, loads, change } = registryOver();
    const both = [change(), change()];
    loads[1]?.answer(2);
    await both[1];
    loads[0]?.answer(1);
    await both[0];
    expect(registry.snapshot.endpoint('of-2')).toBeDefined();
  });

  it('is loaded by the first that needs it, and not again', async () => {
    const { registry, loads } = registryOver();
    const needed = registry.ensureLoaded();
    loads[0]?.answer(1);
    const loaded = await needed;
    expect(await registry.ensureLoaded()).toBe(loaded);
    expect(loads).toHaveLength(1);
  });

  it('stays when the storage goes away', async () => {
    const { registry, loads, change } = registryOver();
    const first = change();
    loads[0]?.answer(1);
    await first;
    const second = change();
    loads[1]?.fail();
    await expect(second).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(registry.snapshot.endpoint('of-1')).toBeDefined();
  });

  it('is refused while there is none', async () => {
    const { registry, loads } = registryOver();
    const needed = registry.ensureLoaded();
    loads[0]?.fail();
    await expect(needed).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(() => registry.snapshot).toThrow(GatewayError);
  });
});
