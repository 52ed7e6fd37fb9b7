import { Module } from '@nestjs/common';
import { Agent } from 'undici';
import { AuthModule } from '../auth/auth.module';
import { IntrospectionConfig, JwtConfig, StsConfig } from '../auth/bearer/bearer.config';
import { BearerConfigs, BearerTokens, OPERATORS_AGENT } from '../auth/bearer/bearer-tokens';
import { TenantGuard } from '../auth/bearer/tenant.guard';
import { ChannelsModule } from '../channels/channels.module';
import { provideConfig } from '../config/provide-config';
import { EgressGuard, OPERATORS_RULES } from '../dispatcher/delivery/egress/egress-guard';
import { RestApiModule } from '../dispatcher/rest-api.module';
import { DoorModule, DoorRegistry } from '../http/door';
import { SecretsModule } from '../secrets/secrets.module';
import { StorageModule } from '../storage/storage.module';
import { HooksController } from './hooks.controller';
import { KnownWebhooks } from './known-webhooks';
import { SourcesConfig } from './sources.config';
import { TokenWebhookDoor, WH } from './token-webhook.door';
import { TokenWebhooksController } from './token-webhooks.controller';
import { TokenWebhooksRepository } from './token-webhooks.repository';
import { TokenWebhooks } from './token-webhooks.service';

const CONNECT_MS = 2_000;
const MAX_ANSWER_BYTES = 1_048_576;

/** To the service that checks access tokens. */
const operatorsAgent = (): Agent =>
  new Agent({
    connections: 32,
    connect: new EgressGuard(OPERATORS_RULES).connector({ timeout: CONNECT_MS }),
    maxResponseSize: MAX_ANSWER_BYTES,
  });

/** The original's token service. Its events are read by the channel `sources`, with all others of that queue. */
@Module({
  imports: [AuthModule, ChannelsModule, DoorModule, RestApiModule, SecretsModule, StorageModule],
  controllers: [TokenWebhooksController, HooksController],
  providers: [
    provideConfig(StsConfig),
    provideConfig(IntrospectionConfig),
    provideConfig(JwtConfig),
    provideConfig(SourcesConfig),
    {
      provide: BearerConfigs,
      inject: [StsConfig, IntrospectionConfig, JwtConfig],
      useFactory: (sts: StsConfig, introspection: IntrospectionConfig, jwt: JwtConfig) => new BearerConfigs(sts, introspection, jwt),
    },
    { provide: OPERATORS_AGENT, useFactory: operatorsAgent },
    BearerTokens,
    TenantGuard,
    KnownWebhooks,
    TokenWebhookDoor,
    TokenWebhooksRepository,
    TokenWebhooks,
  ],
})
export class TokenWebhooksModule {
  constructor(doors: DoorRegistry, door: TokenWebhookDoor) {
    doors.register(WH, {
      isEnabled: () => true,
      missingSetting: () => undefined,
      receive: (request) => door.receive(request),
      describe: (request) => door.describe(request),
    });
  }
}
