import { Module } from '@nestjs/common';
import { SecretsModule } from '../../secrets/secrets.module';
import { StorageModule } from '../../storage/storage.module';
import { EndpointsRepository } from './endpoints.repository';
import { ManagedEndpoints } from './managed-endpoints';

@Module({
  imports: [SecretsModule, StorageModule],
  providers: [EndpointsRepository, ManagedEndpoints],
  exports: [ManagedEndpoints],
})
export class ManagedEndpointsModule {}
