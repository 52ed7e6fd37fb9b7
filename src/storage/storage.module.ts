import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { join } from 'node:path';
import { AppConfig } from '../config/app.config';
import { provideConfig } from '../config/provide-config';
import { RegistryVersion } from './registry-version';
import { SqliteStorage } from './sqlite/sqlite-storage';
import { Storage } from './storage';
import { DatabaseConfig } from './storage.config';

async function openStorage(config: DatabaseConfig, app: AppConfig): Promise<Storage> {
  if (config.url === null) return SqliteStorage.open(join(app.dataDir, 'hookline.db'));
  throw new Error('not yet');
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
