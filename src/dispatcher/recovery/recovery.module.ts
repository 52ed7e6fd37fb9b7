import { Module } from '@nestjs/common';
import { AuthModule } from '../../auth/auth.module';
import { MetricsModule } from '../../metrics/metrics.module';
import { SecretsModule } from '../../secrets/secrets.module';
import { StorageModule } from '../../storage/storage.module';
import { DeliveryModule } from '../delivery/delivery.module';
import { EndpointsRepository } from '../registry/endpoints.repository';
import { RegistryModule } from '../registry/registry.module';
import { DeadGauge } from './dead-gauge';
import { JobRunner } from './job-runner';
import { JobSlices } from './job-slices';
import { JobWork } from './job-work';
import { JobsRepository } from './jobs.repository';
import { JobsService } from './jobs.service';
import { BulkController, EndpointRecoveryController, JobsController } from './recovery.controller';
import { TestEvents } from './test-event';

/** What brings deliveries back: jobs over many of them, replays of past events, examples. */
@Module({
  imports: [AuthModule, DeliveryModule, MetricsModule, RegistryModule, SecretsModule, StorageModule],
  controllers: [BulkController, EndpointRecoveryController, JobsController],
  providers: [DeadGauge, EndpointsRepository, JobRunner, JobSlices, JobWork, JobsRepository, JobsService, TestEvents],
})
export class RecoveryModule {}
