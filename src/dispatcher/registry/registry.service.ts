import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { GatewayError } from '../../core/errors';
import { SecretBox } from '../../secrets/secret-box';
import { RegistryVersion } from '../../storage/registry-version';
import { Storage } from '../../storage/storage';
import { RegistrySnapshot } from './snapshot';

/** Holds the registry's present snapshot; rebuilt when the registry changes, kept while the storage is away. */
@Injectable()
export class RegistryService {
  private current: RegistrySnapshot | undefined;
  /** The version that `current` shows. */
  private version = -1;

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

  /** Reads the registry anew. @throws GatewayError `storage_unavailable`; the last snapshot stays. */
  async load(): Promise<void> {
    const rows = await this.storage.transaction(async (trx) => {
      // All tables as of one moment: a filter without its endpoint would drop events.
      if (this.storage.engine === 'postgres') await sql`set transaction isolation level repeatable read, read only`.execute(trx);
      return {
        ...(await trx.selectFrom('registry_version').select('version').executeTakeFirstOrThrow()),
        endpoints: await trx.selectFrom('endpoints').selectAll().orderBy('id').execute(),
        filters: await trx.selectFrom('filters').selectAll().orderBy('id').execute(),
        identities: await trx.selectFrom('account_identities').selectAll().execute(),
      };
    });
    // Two loads may overtake one another.
    if (rows.version < this.version) return;
    this.current = new RegistrySnapshot(rows, this.box);
    this.version = rows.version;
  }
}
