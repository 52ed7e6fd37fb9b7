import { Module } from '@nestjs/common';
import { provideConfig } from '../config/provide-config';
import { StorageModule } from '../storage/storage.module';
import { AdminKey } from './admin-key';
import { ApiKeyGuard } from './api-key.guard';
import { ApiKeysService } from './api-keys.service';
import { AuthConfig } from './auth.config';
import { Authenticator } from './authenticator';
import { KeysController } from './keys.controller';

/** A module whose controllers use ApiKeyGuard imports this one. */
@Module({
  imports: [StorageModule],
  providers: [provideConfig(AuthConfig), AdminKey, Authenticator, ApiKeyGuard, ApiKeysService],
  controllers: [KeysController],
  exports: [AdminKey, Authenticator, ApiKeyGuard],
})
export class AuthModule {}
