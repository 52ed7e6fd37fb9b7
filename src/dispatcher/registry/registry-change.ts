import { Injectable } from '@nestjs/common';
import type { Transaction } from 'kysely';
import { RegistryVersion, bumpRegistryVersion } from '../../storage/registry-version';
import type { Schema } from '../../storage/schema';
import { Storage } from '../../storage/storage';
import type { OperationalFact } from '../operational/facts';
import { OperationalEvents } from '../operational/operational-events';

/** The one way in which accounts, identities, endpoints and filters change. */
@Injectable()
export class RegistryChange {
  constructor(
    private readonly storage: Storage,
    private readonly version: RegistryVersion,
    private readonly operational: OperationalEvents,
  ) {}

  /** Tells what a change brings about, as a part of it. */
  tell(trx: Transaction<Schema>, facts: readonly OperationalFact[]): Promise<void> {
    return this.operational.book(trx, facts);
  }

  /** Commits `work` with a new version of the registry; resolves when this process dispatches by the change. */
  async commit<T>(work: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
    const result = await this.storage.transaction(async (trx) => {
      const made = await work(trx);
      await bumpRegistryVersion(trx);
      return made;
    });
    await this.version.changed();
    return result;
  }
}
