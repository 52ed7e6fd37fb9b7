import { Module } from '@nestjs/common';
import { ServerConfig } from '../../../config/app.config';
import { provideConfig } from '../../../config/provide-config';
import { EgressGuard } from './egress-guard';
import { EgressConfig } from './egress.config';

@Module({
  providers: [
    provideConfig(EgressConfig),
    provideConfig(ServerConfig),
    {
      provide: EgressGuard,
      inject: [EgressConfig, ServerConfig],
      useFactory: (egress: EgressConfig, server: ServerConfig) =>
        new EgressGuard({ allow: egress.allow, host: server.host, isPublic: server.publicUrl !== null }),
    },
  ],
  exports: [EgressGuard],
})
export class EgressModule {}
