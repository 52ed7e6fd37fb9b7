import 'reflect-metadata';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AuthConfig } from './auth/auth.config';
import { AppConfig } from './config/app.config';
import { ConfigError } from './config/load-config';
import { withoutSecrets } from './config/log-stream';
import { currentSettings } from './config/provide-config';
import { SecretKeyError } from './secrets/key-file';
import { KeysInUse } from './secrets/keys-in-use';
import { Resealer } from './secrets/resealer';
import { SecretBox } from './secrets/secret-box';
import { SecretsConfig } from './secrets/secrets.config';
import { keysOf } from './secrets/secrets.module';
import { RegistryVersion } from './storage/registry-version';
import { DatabaseConfig } from './storage/storage.config';
import { openStorage } from './storage/storage.module';

/**
 * `npm run secrets:reencrypt`: seals every secret of an endpoint, identity or affinity session with the first of secrets.encryptionKeys, while the gateway runs. Interrupted, it
 * is run again. Ends with status 0 when the other keys are needed no more.
 */
async function main(): Promise<number> {
  const settings = currentSettings();
  const [app, database] = [settings.section(AppConfig), settings.section(DatabaseConfig)];
  if (database.url === null && !existsSync(join(app.dataDir, 'hookline.db'))) {
    throw new SecretKeyError(`There is no database in ${app.dataDir}: set DATA_DIR or DATABASE_URL as for the gateway`);
  }
  const loaded = keysOf(settings.section(SecretsConfig), app, settings.section(AuthConfig), database, false);
  if (loaded.keys.length === 0) throw new SecretKeyError('There is no key: set SECRETS_ENCRYPTION_KEYS as for the gateway');
  const box = new SecretBox(loaded.keys);
  const storage = await openStorage(database, app);
  try {
    const resealer = new Resealer(storage, box, new KeysInUse(storage, box, loaded, new RegistryVersion(storage)));
    return await reseal(resealer, box);
  } finally {
    await storage.close();
  }
}

async function reseal(resealer: Resealer, box: SecretBox): Promise<number> {
  if (!(await resealer.isKeyKnown())) {
    say(`No gateway on this database has the key ${box.keyId} yet: restart all with the same SECRETS_ENCRYPTION_KEYS first`);
    return 1;
  }
  say(`Sealing with key ${box.keyId}`);
  const { sealed, unreadable } = await resealer.sealAll((soFar) => say(`${String(soFar)} endpoints, identities and sessions sealed anew`));
  if (unreadable.length > 0) {
    say(`No key opens the secrets of ${String(unreadable.length)} endpoints or identities, such as ${unreadable.slice(0, 20).join(', ')}`);
    return 1;
  }
  if (!(await resealer.retireOtherKeys())) {
    say('Another process seals with another key meanwhile: give all the same first key, then run this again');
    return 1;
  }
  say(`Done: ${String(sealed)} endpoints, identities and sessions sealed anew. No other key is needed any more`);
  return 0;
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    const isPlain = error instanceof SecretKeyError || error instanceof ConfigError;
    const text = error instanceof Error ? (isPlain ? error.message : (error.stack ?? error.message)) : String(error);
    withoutSecrets(process.stderr, error instanceof ConfigError ? [] : currentSettings().secrets()).write(`${text}\n`);
    process.exit(error instanceof ConfigError ? ConfigError.exitCode : 1);
  },
);
