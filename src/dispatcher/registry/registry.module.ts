import { Module } from '@nestjs/common';
import { SecretsModule } from '../../secrets/secrets.module';
import { StorageModule } from '../../storage/storage.module';
import { IdentityCredentials } from './identity-credentials';
import { RegistryService } from './registry.service';

@Module({
  imports: [SecretsModule, StorageModule],
  providers: [RegistryService, IdentityCredentials],
  exports: [RegistryService, IdentityCredentials, SecretsModule],
})
export class RegistryModule {}
