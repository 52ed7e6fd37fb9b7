import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { AffinityModule } from '../affinity/affinity.module';
import { AuthModule } from '../auth/auth.module';
import { BrokerModule } from '../broker/broker.module';
import { provideConfig } from '../config/provide-config';
import { RegistryModule } from '../dispatcher/registry/registry.module';
import { DrainingModule } from '../http/draining';
import { MetricsConfig } from '../metrics/metrics.config';
import { MetricsModule } from '../metrics/metrics.module';
import { StorageModule } from '../storage/storage.module';
import { ThreadsModule } from '../threads/threads.module';
import { AffinityHealth } from './affinity-health';
import { Gauges } from './gauges.service';
import { HealthController } from './health.controller';
import { MetricsController, MetricsKeyGuard } from './metrics.controller';
import { ThreadHealth } from './thread-health';

@Module({
  // A probe that fails is no line in the log: it is asked every few seconds.
  imports: [
    TerminusModule.forRoot({ logger: false }),
    AuthModule,
    BrokerModule,
    RegistryModule,
    DrainingModule,
    MetricsModule,
    StorageModule,
    ThreadsModule,
    AffinityModule,
  ],
  controllers: [HealthController, MetricsController],
  providers: [provideConfig(MetricsConfig), Gauges, MetricsKeyGuard, ThreadHealth, AffinityHealth],
})
export class HealthModule {}
