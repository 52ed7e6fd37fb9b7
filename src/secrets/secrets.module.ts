import { Module } from '@nestjs/common';
import { AuthConfig } from '../auth/auth.config';
import { AppConfig } from '../config/app.config';
import { provideConfig } from '../config/provide-config';
import { DatabaseConfig } from '../storage/storage.config';
import { StorageModule } from '../storage/storage.module';
import { KeysInUse } from './keys-in-use';
import { LoadedKeys, loadKeys } from './load-keys';
import { Resealer } from './resealer';
import { SecretBox } from './secret-box';
import { SecretsConfig } from './secrets.config';

/** @throws SecretKeyError */
export const keysOf = (secrets: SecretsConfig, app: AppConfig, auth: AuthConfig, database: DatabaseConfig, mayMake = true): LoadedKeys =>
  loadKeys(
    { configured: secrets.encryptionKeys, dataDir: app.dataDir, adminKey: auth.adminKey, sharedDatabase: database.url !== null },
    mayMake,
  );

@Module({
  imports: [StorageModule],
  providers: [
    provideConfig(AppConfig),
    provideConfig(AuthConfig),
    provideConfig(DatabaseConfig),
    provideConfig(SecretsConfig),
    {
      provide: LoadedKeys,
      inject: [SecretsConfig, AppConfig, AuthConfig, DatabaseConfig],
      useFactory: (secrets: SecretsConfig, app: AppConfig, auth: AuthConfig, database: DatabaseConfig) =>
        keysOf(secrets, app, auth, database),
    },
    { provide: SecretBox, inject: [LoadedKeys], useFactory: ({ keys }: LoadedKeys) => new SecretBox(keys) },
    KeysInUse,
    Resealer,
  ],
  exports: [SecretBox, KeysInUse, Resealer],
})
export class SecretsModule {}
