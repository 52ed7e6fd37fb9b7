import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { timingSafeEqual } from 'node:crypto';
import { isOutage } from '../core/errors';
import { newId } from '../core/ids';
import { RegistryVersion, bumpRegistryVersion } from '../storage/registry-version';
import { Storage } from '../storage/storage';
import { hashOf, newApiKey } from './api-key';
import { AuthConfig } from './auth.config';

const META_KEY = 'first_admin_key';

/** The configured admin key; without one, the key that the first boot of an installation makes. */
@Injectable()
export class AdminKey implements OnModuleInit {
  /** The key that this process made, to be shown once; undefined on every later boot and when `auth.adminKey` is set. */
  firstRunKey: string | undefined;
  private readonly logger = new Logger(AdminKey.name);
  private readonly configuredHash: Buffer | undefined;
  private readonly listeners: ((key: string) => void)[] = [];
  private settled: boolean;

  constructor(
    config: AuthConfig,
    private readonly storage: Storage,
    version: RegistryVersion,
  ) {
    this.configuredHash = config.adminKey ? hashOf(config.adminKey) : undefined;
    this.settled = this.configuredHash !== undefined;
    // Where the storage was away at the boot, its first answer comes this way.
    version.onChange(() => this.ensure());
  }

  async onModuleInit(): Promise<void> {
    try {
      await this.ensure();
    } catch (error) {
      if (!isOutage(error)) throw error;
      this.logger.warn('Whether an admin key was made shows when the storage is back');
    }
  }

  /** Calls back with `firstRunKey`: at once, or when the storage is back where it was away at the boot; else never. */
  onFirstRunKey(listener: (key: string) => void): void {
    if (this.firstRunKey === undefined) this.listeners.push(listener);
    else listener(this.firstRunKey);
  }

  /** Takes the same time whatever the key. */
  isConfigured(hash: Buffer): boolean {
    return this.configuredHash !== undefined && timingSafeEqual(hash, this.configuredHash);
  }

  private async ensure(): Promise<void> {
    if (this.settled) return;
    const made = newApiKey();
    const isMine = await this.storage.transaction(async (trx) => {
      const createdAt = Date.now();
      // Of several processes that start at once, one inserts this row.
      const first = await trx
        .insertInto('meta')
        .values({ key: META_KEY, value: String(createdAt) })
        .onConflict((conflict) => conflict.column('key').doNothing())
        .returning('key')
        .executeTakeFirst();
      if (!first) return false;
      const { prefix, hash } = made;
      const row = { id: newId(), account_id: null, name: 'first admin key', prefix, hash, created_at: createdAt, revoked_at: null };
      await trx.insertInto('api_keys').values(row).execute();
      await bumpRegistryVersion(trx);
      return true;
    });
    this.settled = true;
    if (!isMine) return;
    this.firstRunKey = made.key;
    for (const listener of this.listeners.splice(0)) listener(made.key);
  }
}
