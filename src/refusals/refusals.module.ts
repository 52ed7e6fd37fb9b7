import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module';
import { provideConfig } from '../config/provide-config';
import { MetricsModule } from '../metrics/metrics.module';
import { StorageModule } from '../storage/storage.module';
import { RefusalsController } from './refusals.controller';
import { RefusalsConfig } from './refusals.config';
import { RefusalsRepository } from './refusals.repository';
import { RefusalsService } from './refusals.service';

@Module({
  imports: [AuthModule, MetricsModule, StorageModule],
  providers: [provideConfig(RefusalsConfig), RefusalsRepository, RefusalsService],
  controllers: [RefusalsController],
  exports: [RefusalsService],
})
export class RefusalsModule {}
