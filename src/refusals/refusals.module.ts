import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module';
import { provideConfig } from '../config/provide-config';
import { DoorModule } from '../http/door';
import { MetricsModule } from '../metrics/metrics.module';
import { SecretsModule } from '../secrets/secrets.module';
import { StorageModule } from '../storage/storage.module';
import { Doctor } from './doctor.service';
import { RefusalsController } from './refusals.controller';
import { RefusalsConfig } from './refusals.config';
import { RefusalsRepository } from './refusals.repository';
import { RefusalsService } from './refusals.service';

@Module({
  imports: [AuthModule, DoorModule, MetricsModule, SecretsModule, StorageModule],
  providers: [provideConfig(RefusalsConfig), RefusalsRepository, RefusalsService, Doctor],
  controllers: [RefusalsController],
  exports: [RefusalsService],
})
export class RefusalsModule {}
