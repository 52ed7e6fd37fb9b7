import { Injectable } from '@nestjs/common';
import type { Transaction } from 'kysely';
import { GatewayError } from '../../core/errors';
import { KeysInUse } from '../../secrets/keys-in-use';
import { SecretBox } from '../../secrets/secret-box';
import { credentialsContext } from '../../secrets/sealed-columns';
import { RegistryVersion, bumpRegistryVersion } from '../../storage/registry-version';
import type { AccountIdentitiesTable, Schema } from '../../storage/schema';
import { Storage } from '../../storage/storage';

/** A user's OAuth 1.0a token. */
export interface OAuthToken {
  accessToken: string;
  accessTokenSecret: string;
}

/** An identity of a channel, for who acts on the platform. */
export interface PlatformIdentity {
  externalId: string;
  accountId: string;
  /** Milliseconds since 1970. */
  createdAt: number;
  /** Sealed: another text when they are set anew; null: there are none. */
  credentials: string | null;
}

type Key = Pick<AccountIdentitiesTable, 'channel' | 'external_id'>;

/** The tokens of identities: sealed in the database, opened only for the call that needs one. */
@Injectable()
export class IdentityCredentials {
  constructor(
    private readonly storage: Storage,
    private readonly box: SecretBox,
    private readonly keys: KeysInUse,
    private readonly version: RegistryVersion,
  ) {}

  /** Of an identity that was locked in the same transaction. @returns the columns as they are now. */
  async write(
    trx: Transaction<Schema>,
    { channel, external_id }: Key,
    token: OAuthToken | null,
  ): Promise<Pick<AccountIdentitiesTable, 'credentials' | 'credentials_at'>> {
    if (token !== null) await this.keys.use(trx);
    const { accessToken, accessTokenSecret } = token ?? {};
    const text = token === null ? null : JSON.stringify([accessToken, accessTokenSecret]);
    const columns = {
      credentials: text === null ? null : this.box.seal(text, credentialsContext(channel, external_id)),
      credentials_at: text === null ? null : Date.now(),
    };
    await trx
      .updateTable('account_identities')
      .set(columns)
      .where('channel', '=', channel)
      .where('external_id', '=', external_id)
      .execute();
    return columns;
  }

  /** All identities of a channel, the oldest first. */
  async list(channel: string): Promise<PlatformIdentity[]> {
    const rows = await this.storage.db
      .selectFrom('account_identities')
      .selectAll()
      .where('channel', '=', channel)
      .orderBy('created_at')
      .orderBy('external_id')
      .execute();
    return rows.map((row) => ({
      externalId: row.external_id,
      accountId: row.account_id,
      createdAt: row.created_at,
      credentials: row.credentials,
    }));
  }

  /** Undefined where there are none, or where no key opens them. */
  open(channel: string, { externalId, credentials }: PlatformIdentity): OAuthToken | undefined {
    if (credentials === null) return undefined;
    try {
      const text = this.box.open(credentials, credentialsContext(channel, externalId));
      const [accessToken, accessTokenSecret] = JSON.parse(text) as [string, string];
      return { accessToken, accessTokenSecret };
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'secret_unreadable') return undefined;
      throw error;
    }
  }

  /** Drops the token of an identity, unless it was set after `beforeMs`. @returns whether there was one. */
  async forget(channel: string, externalId: string, beforeMs: number): Promise<boolean> {
    const isGone = await this.storage.transaction(async (trx) => {
      const row = await trx
        .updateTable('account_identities')
        .set({ credentials: null, credentials_at: null })
        .where('channel', '=', channel)
        .where('external_id', '=', externalId)
        .where('credentials_at', '<=', beforeMs)
        .returning('channel')
        .executeTakeFirst();
      if (row !== undefined) await bumpRegistryVersion(trx);
      return row !== undefined;
    });
    if (isGone) await this.version.changed();
    return isGone;
  }
}
