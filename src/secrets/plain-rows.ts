import { Injectable, Logger } from '@nestjs/common';
import { sql } from 'kysely';
import { isOutage } from '../core/errors';
import { RegistryVersion } from '../storage/registry-version';
import { Storage } from '../storage/storage';
import { Resealer } from './resealer';

/** Seals, once after each start and beside the traffic, what an older version wrote as plain text. */
@Injectable()
export class PlainRows {
  private readonly logger = new Logger(PlainRows.name);
  private sealing: Promise<void> | undefined;

  constructor(
    private readonly storage: Storage,
    private readonly resealer: Resealer,
    version: RegistryVersion,
  ) {
    // Its first look comes when the storage can be reached. The others that are told do not wait for this.
    version.onChange(() => {
      void this.sealOnce();
      return Promise.resolve();
    });
  }

  /** Resolves when nothing is plain any more, or with the outage that the next change tries again after. */
  sealOnce(): Promise<void> {
    return (this.sealing ??= this.seal().catch((error: unknown) => {
      this.sealing = undefined;
      if (!isOutage(error)) this.logger.error({ err: error }, 'Plain secrets cannot be sealed');
    }));
  }

  private async seal(): Promise<void> {
    const isFile = this.storage.engine === 'sqlite';
    // What is overwritten in the file is overwritten with zeros.
    if (isFile) await sql`pragma secure_delete = on`.execute(this.storage.db);
    const { sealed } = await this.resealer.sealPlain();
    if (sealed === 0) return;
    // The log still has the pages as they were.
    if (isFile) await sql`pragma wal_checkpoint(truncate)`.execute(this.storage.db);
    this.logger.log(`Sealed the secrets of ${String(sealed)} endpoints that an older version kept as plain text`);
  }
}
