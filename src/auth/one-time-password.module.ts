import { Module } from '@nestjs/common';
import { StorageModule } from '../storage/storage.module';
import { OneTimePasswordGate } from './one-time-password-gate';
import { OneTimePasswordRepository } from './one-time-password.repository';

@Module({
  imports: [StorageModule],
  providers: [OneTimePasswordGate, OneTimePasswordRepository],
  exports: [OneTimePasswordGate],
})
export class OneTimePasswordModule {}
