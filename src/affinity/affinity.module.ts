import { Module } from '@nestjs/common';
import { HttpConfig, ServerConfig } from '../config/app.config';
import { provideConfig } from '../config/provide-config';
import { DrainingModule } from '../http/draining';
import { MetricsModule } from '../metrics/metrics.module';
import { SecretsModule } from '../secrets/secrets.module';
import { StorageModule } from '../storage/storage.module';
import { AffinityHandler } from './affinity-handler';
import { AffinityServer } from './affinity-server';
import { AffinityConfig } from './affinity.config';
import { SessionExpiry } from './session-expiry';
import { SessionRows } from './session-rows';
import { AffinitySessions } from './sessions';

@Module({
  imports: [DrainingModule, MetricsModule, SecretsModule, StorageModule],
  providers: [
    provideConfig(AffinityConfig),
    provideConfig(HttpConfig),
    provideConfig(ServerConfig),
    SessionRows,
    SessionExpiry,
    AffinitySessions,
    AffinityHandler,
    AffinityServer,
  ],
  exports: [AffinityServer, AffinitySessions],
})
export class AffinityModule {}
