import { Injectable } from '@nestjs/common';
import { setImmediate as turn } from 'node:timers/promises';
import { GatewayError } from '../../core/errors';
import { SecretBox } from '../../secrets/secret-box';
import { RegistryVersion } from '../../storage/registry-version';
import { Storage } from '../../storage/storage';
import { PAGE_ROWS, type RegistryRows, readRegistry } from './registry-rows';
import { RegistrySnapshot } from './snapshot';

/** Holds the registry's present snapshot; kept up to date by what changes, and as it is while the storage is away. */
@Injectable()
export class RegistryService {
  private current: RegistrySnapshot | undefined;
  /** The version that `current` shows. */
  private version: number | undefined;
  /** One at a time: each goes on where the last one ended. */
  private loading: Promise<void> = Promise.resolve();

  constructor(
    private readonly storage: Storage,
    changes: RegistryVersion,
    private readonly box: SecretBox,
  ) {
    changes.onChange(() => this.load());
  }

  /** @throws GatewayError `storage_unavailable` when it was never loaded: then nobody knows yet who wants what. */
  get snapshot(): RegistrySnapshot {
    if (!this.current) throw new GatewayError('storage_unavailable', 'The registry has not been loaded yet');
    return this.current;
  }

  /** Resolves at once when there is a snapshot. @throws GatewayError `storage_unavailable`. */
  async ensureLoaded(): Promise<RegistrySnapshot> {
    if (!this.current) await this.load();
    return this.snapshot;
  }

  /** Reads what has changed. @throws GatewayError `storage_unavailable`; the snapshot stays as it is. */
  load(): Promise<void> {
    const loaded = this.loading.then(() => this.loadChanges());
    this.loading = loaded.catch(() => undefined);
    return loaded;
  }

  private async loadChanges(): Promise<void> {
    const read = await this.storage.snapshot((db) => readRegistry(db, this.storage.engine, this.version));
    if (this.current && read.gone) this.current.apply(read, read.gone);
    else this.current = await this.build(read);
    this.version = read.version;
  }

  /** In slices, so that nothing waits long for it; the present snapshot serves meanwhile. */
  private async build({ endpoints, filters, identities }: RegistryRows): Promise<RegistrySnapshot> {
    const built = new RegistrySnapshot({ endpoints: [], filters: [], identities: [] }, this.box);
    const longest = Math.max(endpoints.length, filters.length, identities.length);
    for (let start = 0; start < longest; start += PAGE_ROWS) {
      if (start > 0) await turn();
      const slice = <R>(rows: readonly R[]): readonly R[] => rows.slice(start, start + PAGE_ROWS);
      built.apply({ endpoints: slice(endpoints), filters: slice(filters), identities: slice(identities) });
    }
    return built;
  }
}
