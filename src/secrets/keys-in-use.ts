import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { rmSync } from 'node:fs';
import type { Transaction } from 'kysely';
import { isOutage } from '../core/errors';
import { RegistryVersion } from '../storage/registry-version';
import type { Schema } from '../storage/schema';
import { Storage } from '../storage/storage';
import { SecretKeyError } from './key-file';
import { LoadedKeys } from './load-keys';
import { SecretBox } from './secret-box';

const META_KEY = 'secret_key_ids';

/**
 * The database knows the ids of the keys that sealed what is in it: a process that has not got them all must not work on it, since
 * it could neither sign with what others sealed nor seal what others can open.
 */
@Injectable()
export class KeysInUse implements OnModuleInit {
  private readonly logger = new Logger(KeysInUse.name);
  private checked = false;

  constructor(
    private readonly storage: Storage,
    private readonly box: SecretBox,
    private readonly loaded: LoadedKeys,
    version: RegistryVersion,
  ) {
    // Where the storage was away at the boot, its first answer comes this way.
    version.onChange(() => this.checkLate());
  }

  /** @throws SecretKeyError where this process must not start. */
  async onModuleInit(): Promise<void> {
    try {
      await this.check();
    } catch (error) {
      if (!isOutage(error)) throw error;
      this.logger.warn('Whether the keys fit the secrets in the database shows when the storage is back');
    }
  }

  /**
   * Part of every transaction that seals, so that the key stays in use until it commits. Endpoints that the transaction changes are
   * locked before.
   * @throws SecretKeyError
   */
  async use(trx: Transaction<Schema>): Promise<void> {
    await trx
      .insertInto('meta')
      .values({ key: META_KEY, value: this.box.keyId })
      .onConflict((conflict) => conflict.column('key').doNothing())
      .execute();
    const present = await this.lock(trx);
    const missing = present.filter((id) => !this.box.keyIds.includes(id));
    if (missing.length > 0) throw this.misfit(missing);
    if (!present.includes(this.box.keyId)) await this.write(trx, [this.box.keyId, ...present]);
  }

  /** From now on only the key that seals is asked for. The caller has seen that no other one sealed anything, in `trx`. */
  async retireOthers(trx: Transaction<Schema>): Promise<void> {
    await this.write(trx, [this.box.keyId]);
  }

  /** The ids, which nobody else changes until the transaction ends. */
  async lock(trx: Transaction<Schema>): Promise<string[]> {
    const row = await trx
      .selectFrom('meta')
      .select('value')
      .where('key', '=', META_KEY)
      .$if(this.storage.engine === 'postgres', (query) => query.forUpdate())
      .executeTakeFirst();
    return row?.value.split(',') ?? [];
  }

  private async check(): Promise<void> {
    if (this.checked) return;
    await this.storage.transaction((trx) => this.use(trx));
    this.checked = true;
    this.logger.log(`Secrets are sealed with key ${this.box.keyId} (${this.loaded.origin})`);
  }

  private async checkLate(): Promise<void> {
    try {
      await this.check();
    } catch (error) {
      if (!(error instanceof SecretKeyError)) throw error;
      this.logger.fatal(error.message);
      // What was accepted is in the broker; a process with the right keys goes on with it.
      process.kill(process.pid, 'SIGTERM');
    }
  }

  private async write(trx: Transaction<Schema>, ids: readonly string[]): Promise<void> {
    await trx
      .updateTable('meta')
      .set({ value: ids.join(',') })
      .where('key', '=', META_KEY)
      .execute();
  }

  private misfit(missing: readonly string[]): SecretKeyError {
    // Nothing was sealed with a key that was made just now, and it would be in the way of the right one.
    if (this.loaded.madeFile !== undefined) rmSync(this.loaded.madeFile, { force: true });
    const mine = this.loaded.madeFile === undefined ? `this process has ${this.box.keyIds.join(' and ')}` : 'this process has no key';
    return new SecretKeyError(
      `The secrets in the database are sealed with the key ${missing.join(' and ')}; ${mine}. Set SECRETS_ENCRYPTION_KEYS to the keys ` +
        'that the other processes have, or put their DATA_DIR/secrets.key back, or the ADMIN_KEY that was set before ' +
        '(docs/operations.md, Secrets)',
    );
  }
}
