import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { join } from 'node:path';
import { AppConfig } from '../config/app.config';
import { provideConfig } from '../config/provide-config';
import { PostgresStorage } from './postgres/postgres-storage';
import { RegistryVersion } from './registry-version';
import { SqliteStorage } from './sqlite/sqlite-storage';
import { Storage } from './storage';
import { DatabaseConfig } from './storage.config';

/** The engine that the settings name. */
export async function openStorage(config: DatabaseConfig, app: AppConfig): Promise<Storage> {
  if (config.url === null) return SqliteStorage.open(join(app.dataDir, 'hookline.db'));
  return PostgresStorage.open({ url: config.url, poolSize: config.poolSize, preparedStatements: config.preparedStatements });
}

@Module({
  providers: [
    provideConfig(AppConfig),
    provideConfig(DatabaseConfig),
    RegistryVersion,
    { provide: Storage, inject: [DatabaseConfig, AppConfig], useFactory: openStorage },
  ],
  exports: [Storage, RegistryVersion],
})
export class StorageModule implements OnApplicationShutdown {
  constructor(private readonly storage: Storage) {}

  async onApplicationShutdown(): Promise<void> {
    await this.storage.close();
  }
}
