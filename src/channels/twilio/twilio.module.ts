import { Module } from '@nestjs/common';
import { ServerConfig } from '../../config/app.config';
import { provideConfig } from '../../config/provide-config';
import { DoorModule, DoorRegistry } from '../../http/door';
import { Channels } from '../channel';
import { channelCheck } from '../channel-check';
import { ChannelsModule } from '../channels.module';
import { TwilioAnswers } from './twilio.answers';
import { TwilioConfig } from './twilio.config';
import { TwilioController } from './twilio.controller';
import { TWILIO_QUEUE, TwilioDoor } from './twilio.door';
import { parseTwilio } from './twilio.parser';
import { TWILIO, TwilioSignature } from './twilio.signature';

/** Groups of requests in flight at once. */
const WORKER_COUNT = 2;

@Module({
  imports: [ChannelsModule, DoorModule],
  controllers: [TwilioController],
  providers: [provideConfig(TwilioConfig), provideConfig(ServerConfig), TwilioDoor, TwilioSignature, TwilioAnswers],
})
export class TwilioModule {
  constructor(config: TwilioConfig, { publicUrl }: ServerConfig, door: TwilioDoor, channels: Channels, doors: DoorRegistry) {
    const withoutToken = config.authToken.length === 0 ? 'hookServer.twilio.authToken' : undefined;
    // What Twilio signs begins with the URL that it calls, and only the operator knows that.
    const missing = withoutToken ?? (publicUrl === null ? 'hookServer.publicUrl' : undefined);
    doors.register(TWILIO, {
      isEnabled: () => config.enabled,
      missingSetting: () => missing,
      receive: (request) => door.receive(request),
      checks: () =>
        channelCheck(TWILIO, 'twilio', {
          settings: { secrets: config.authToken },
          context: { publicUrl },
          secretSetting: 'hookServer.twilio.authToken',
        }),
    });
    channels.register({
      name: TWILIO,
      isEnabled: config.enabled,
      isConfigured: missing === undefined,
      isProcessing: config.processEnabled,
      lanes: [{ name: 'default', queue: TWILIO_QUEUE, workerCount: WORKER_COUNT }],
      parse: parseTwilio,
    });
  }
}
