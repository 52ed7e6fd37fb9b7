import { Module } from '@nestjs/common';
import { provideConfig } from '../../config/provide-config';
import { webexId } from '../../core/webex-id';
import { DoorModule, DoorRegistry } from '../../http/door';
import { Channels } from '../channel';
import { channelCheck } from '../channel-check';
import { ChannelsModule } from '../channels.module';
import { WebexConfig } from './webex.config';
import { WebexController } from './webex.controller';
import { WEBEX_QUEUE, WebexDoor } from './webex.door';
import { parseWebex } from './webex.parser';
import { WEBEX, WebexSignature } from './webex.signature';

@Module({
  imports: [ChannelsModule, DoorModule],
  controllers: [WebexController],
  providers: [provideConfig(WebexConfig), WebexDoor, WebexSignature],
})
export class WebexModule {
  constructor(config: WebexConfig, door: WebexDoor, channels: Channels, doors: DoorRegistry) {
    const isConfigured = config.secret.length > 0;
    const bots = new Set(config.botPersonId.map(webexId));
    doors.register(WEBEX, {
      isEnabled: () => config.enabled,
      missingSetting: () => (isConfigured ? undefined : 'hookServer.webex.secret'),
      receive: (request) => door.receive(request),
      checks: () =>
        channelCheck(WEBEX, 'webex', {
          settings: { secrets: config.secret },
          context: { publicUrl: null },
          secretSetting: 'hookServer.webex.secret',
        }),
    });
    channels.register({
      name: WEBEX,
      isEnabled: config.enabled,
      isConfigured,
      isProcessing: config.processEnabled,
      lanes: [{ name: 'default', queue: WEBEX_QUEUE, workerCount: config.workerCount }],
      parse: ({ body, contentType }) => [parseWebex(body, contentType, bots)],
    });
  }
}
