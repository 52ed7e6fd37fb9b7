import { Module } from '@nestjs/common';
import { provideConfig } from '../../config/provide-config';
import { DoorModule, DoorRegistry } from '../../http/door';
import { Channels } from '../channel';
import { channelCheck } from '../channel-check';
import { ChannelsModule } from '../channels.module';
import { FacebookConfig } from './facebook.config';
import { FacebookController } from './facebook.controller';
import { FacebookDoor } from './facebook.door';
import { FacebookLanes, LANE_NAMES, QUEUE_OF_LANE } from './facebook.lanes';
import { parseFacebook } from './facebook.parser';
import { FACEBOOK, FacebookSignature } from './facebook.signature';

@Module({
  imports: [ChannelsModule, DoorModule],
  controllers: [FacebookController],
  providers: [
    provideConfig(FacebookConfig),
    FacebookDoor,
    FacebookSignature,
    { provide: FacebookLanes, inject: [FacebookConfig], useFactory: (config: FacebookConfig) => new FacebookLanes(config) },
  ],
})
export class FacebookModule {
  constructor(config: FacebookConfig, door: FacebookDoor, channels: Channels, doors: DoorRegistry) {
    const isSigned = config.appSecret.length > 0;
    // The handshake needs the verify token alone, a webhook the secret alone: each route needs its own.
    const missing = {
      secret: isSigned ? undefined : 'hookServer.facebook.appSecret',
      token: config.verifyToken === null ? 'hookServer.facebook.verifyToken' : undefined,
    };
    doors.register(FACEBOOK, {
      isEnabled: () => config.enabled,
      missingSetting: (method) => (method === 'POST' ? missing.secret : missing.token),
      receive: (request) => door.receive(request),
      checks: () =>
        channelCheck(FACEBOOK, 'meta', {
          settings: { secrets: config.appSecret },
          context: { publicUrl: null },
          secretSetting: 'hookServer.facebook.appSecret',
        }),
    });
    channels.register({
      name: FACEBOOK,
      isEnabled: config.enabled,
      isConfigured: isSigned,
      isProcessing: config.processEnabled,
      lanes: LANE_NAMES.map((name) => ({ name, queue: QUEUE_OF_LANE[name], workerCount: config.workerCount[name] })),
      parse: ({ body, contentType }) => parseFacebook(body, contentType),
    });
  }
}
