import { Injectable } from '@nestjs/common';
import { RegistryVersion } from '../storage/registry-version';
import { Storage } from '../storage/storage';
import { AdminKey } from './admin-key';
import { hashOf } from './api-key';
import type { Principal } from './principal';

const ADMIN: Principal = { keyId: 'admin', accountId: null };
/** Keys that are not ours: remembered so that trying one again and again costs no query, but not without bound. */
const MAX_UNKNOWN = 1_000;

/** Whose key it is. Answers from memory; forgets everything when any process changed a key. */
@Injectable()
export class Authenticator {
  private known = new Map<string, Principal>();
  private unknown = new Set<string>();

  constructor(
    private readonly adminKey: AdminKey,
    private readonly storage: Storage,
    version: RegistryVersion,
  ) {
    version.onChange(() => {
      this.known = new Map();
      this.unknown = new Set();
      return Promise.resolve();
    });
  }

  /** Undefined for a key that is unknown or revoked. */
  async authenticate(key: string): Promise<Principal | undefined> {
    const digest = hashOf(key);
    if (this.adminKey.isConfigured(digest)) return ADMIN;
    const hash = digest.toString('hex');
    const principal = this.known.get(hash);
    if (principal || this.unknown.has(hash)) return principal;
    return this.find(hash);
  }

  private async find(hash: string): Promise<Principal | undefined> {
    // Kept hold of: what was read before a change must not be remembered after it.
    const { known, unknown } = this;
    const row = await this.storage.db
      .selectFrom('api_keys')
      .select(['id', 'account_id'])
      .where('hash', '=', hash)
      .where('revoked_at', 'is', null)
      .executeTakeFirst();
    if (!row) {
      if (unknown.size >= MAX_UNKNOWN) unknown.clear();
      unknown.add(hash);
      return undefined;
    }
    const principal: Principal = { keyId: row.id, accountId: row.account_id };
    known.set(hash, principal);
    return principal;
  }
}
