import { Module } from '@nestjs/common';
import { SecretsModule } from '../../secrets/secrets.module';
import { StorageModule } from '../../storage/storage.module';
import { RegistryService } from './registry.service';

@Module({ imports: [SecretsModule, StorageModule], providers: [RegistryService], exports: [RegistryService, SecretsModule] })
export class RegistryModule {}
