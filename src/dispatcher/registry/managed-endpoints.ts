import { Injectable, Logger } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import { RegistryVersion, bumpRegistryVersion } from '../../storage/registry-version';
import { Storage } from '../../storage/storage';
import { EndpointsRepository } from './endpoints.repository';
import { type ManagedEndpoint, managedFields, newManagedEndpoint } from './managed-endpoint';

/** Makes the endpoints of the settings, once a boot: at the first look at the registry that succeeds, however late that is. */
@Injectable()
export class ManagedEndpoints {
  private readonly logger = new Logger(ManagedEndpoints.name);
  private open: ManagedEndpoint[] = [];

  constructor(
    private readonly storage: Storage,
    private readonly endpoints: EndpointsRepository,
    private readonly version: RegistryVersion,
  ) {
    // Not at every change: processes with other settings would undo each other's work for ever.
    version.onChange(() => this.make());
  }

  /** To be called while modules are made. */
  keep(endpoint: ManagedEndpoint): void {
    this.open.push(endpoint);
  }

  private async make(): Promise<void> {
    if (this.open.length === 0) return;
    const made = await this.storage.transaction(async (trx) => {
      const changed: string[] = [];
      // Processes that start together make them one after the other.
      if (this.storage.engine === 'postgres') await trx.selectFrom('registry_version').select('version').forUpdate().execute();
      for (const endpoint of this.open) {
        const present = await this.endpoints.lock(trx, endpoint.id, null);
        const wanted = managedFields(endpoint);
        if (!present) await this.endpoints.insert(trx, newManagedEndpoint(endpoint, Date.now()));
        else if (Object.entries(wanted).every(([field, value]) => isDeepStrictEqual(value, present[field as keyof typeof wanted])))
          continue;
        else await this.endpoints.update(trx, endpoint.id, { ...wanted, updatedAt: Date.now() });
        changed.push(`${endpoint.name} (${endpoint.url})`);
      }
      if (changed.length > 0) await bumpRegistryVersion(trx);
      return changed;
    });
    this.open = [];
    if (made.length === 0) return;
    this.logger.log(`Endpoints of the settings, new or changed: ${made.join(', ')}`);
    void this.version.changed();
  }
}
