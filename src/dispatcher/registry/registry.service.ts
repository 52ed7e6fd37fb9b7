import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../core/errors';
import { Storage } from '../../storage/storage';
import { RegistrySnapshot } from './snapshot';

/** Holds the registry's present snapshot; rebuilt when the registry changes, kept while the storage is away. */
@Injectable()
export class RegistryService {
  private current: RegistrySnapshot | undefined;

  constructor(private readonly storage: Storage) {}

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

  /** Reads the registry anew. @throws GatewayError `storage_unavailable`; the last snapshot stays. */
  async load(): Promise<void> {
    const { db } = this.storage;
    const filters = await db.selectFrom('filters').selectAll().orderBy('id').execute();
    const endpoints = await db.selectFrom('endpoints').selectAll().execute();
    const identities = await db.selectFrom('account_identities').selectAll().execute();
    this.current = new RegistrySnapshot({ filters, endpoints, identities });
  }
}
