import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { type Transaction, sql } from 'kysely';
import { isOutage } from '../core/errors';
import type { Schema } from './schema';
import { SharedRead } from './shared-read';
import { Storage } from './storage';

/** Part of every transaction that changes accounts, identities, keys, endpoints, filters or sources. */
export async function bumpRegistryVersion(trx: Transaction<Schema>): Promise<void> {
  await trx
    .updateTable('registry_version')
    .set({ version: sql`version + 1` })
    .where('id', '=', 1)
    .execute();
}

type Listener = () => Promise<void>;

const POLL_MS = 500;

/**
 * Tells this process that any process changed the registry. Listeners run at the first look as well, so a process that starts
 * while the storage is away reads the registry as soon as it is back.
 */
@Injectable()
export class RegistryVersion implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(RegistryVersion.name);
  private readonly listeners: Listener[] = [];
  private known: number | undefined;
  private readonly looks = new SharedRead(() => this.look());
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(private readonly storage: Storage) {}

  /** A listener that throws is called again with all others at the next look. */
  onChange(listener: Listener): void {
    this.listeners.push(listener);
  }

  /**
   * Looks now; resolves when the listeners have seen every change committed before the call. Never throws: the change is
   * committed, and the next look shows it where this one fails.
   */
  changed(): Promise<void> {
    return this.looks.fresh();
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.changed();
    this.schedule();
  }

  onModuleDestroy(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private schedule(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.changed().then(() => this.schedule()), POLL_MS).unref();
  }

  private async look(): Promise<void> {
    try {
      const { version } = await this.storage.db
        .selectFrom('registry_version')
        .select('version')
        .where('id', '=', 1)
        .executeTakeFirstOrThrow();
      if (version === this.known) return;
      const results = await Promise.allSettled(this.listeners.map((listener) => listener()));
      for (const result of results) if (result.status === 'rejected') throw result.reason;
      this.known = version;
    } catch (error) {
      if (isOutage(error)) this.logger.debug('The registry cannot be read while the storage is away');
      else this.logger.error('The registry cannot be read', error instanceof Error ? error.stack : String(error));
    }
  }
}
