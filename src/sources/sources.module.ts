import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module';
import { Channels } from '../channels/channel';
import { ChannelsModule } from '../channels/channels.module';
import { ServerConfig } from '../config/app.config';
import { provideConfig } from '../config/provide-config';
import { RestApiModule } from '../dispatcher/rest-api.module';
import { DoorModule, DoorRegistry } from '../http/door';
import { SecretsModule } from '../secrets/secrets.module';
import { StorageModule } from '../storage/storage.module';
import { SourcesController } from './api/sources.controller';
import { SourcesRepository } from './api/sources.repository';
import { SourcesService } from './api/sources.service';
import { InController } from './in.controller';
import { IN, InDoor } from './in.door';
import { SourceRegistry } from './registry/source-registry';
import { sourcesChannel } from './sources.channel';
import { SourcesConfig } from '../token-webhooks/sources.config';

/** Any system that can POST, by a URL of its own. */
@Module({
  imports: [AuthModule, ChannelsModule, DoorModule, RestApiModule, SecretsModule, StorageModule],
  controllers: [SourcesController, InController],
  providers: [provideConfig(ServerConfig), provideConfig(SourcesConfig), InDoor, SourceRegistry, SourcesRepository, SourcesService],
  exports: [SourceRegistry],
})
export class SourcesModule {
  constructor(config: SourcesConfig, channels: Channels, doors: DoorRegistry, door: InDoor, sources: SourceRegistry) {
    channels.register(sourcesChannel(config));
    doors.register(IN, {
      isEnabled: () => true,
      missingSetting: () => undefined,
      find: ({ url }) => door.find(url),
      receive: (request) => door.receiveAgain(request),
      describe: (request) => door.describe(request),
      stateOf: (ledgerSource) => door.stateOf(ledgerSource),
      checks: () => sources.all().flatMap(({ check }) => check ?? []),
    });
  }
}
