import { Logger, Module } from '@nestjs/common';
import { OneTimePasswordModule } from '../../auth/one-time-password.module';
import { ServerConfig } from '../../config/app.config';
import { provideConfig } from '../../config/provide-config';
import { DeliveryModule } from '../../dispatcher/delivery/delivery.module';
import { ManagedEndpointsModule } from '../../dispatcher/registry/managed-endpoints.module';
import { DoorModule, DoorRegistry } from '../../http/door';
import { StorageModule } from '../../storage/storage.module';
import { ThreadsModule } from '../../threads/threads.module';
import { Channels } from '../channel';
import { ChannelsModule } from '../channels.module';
import { AutomateConfig, ThreadCoordinatorConfig } from './automate.config';
import { AUTOMATE_QUEUE, AutomateController } from './automate.controller';
import { parseAutomate } from './automate.parser';
import { AUTOMATE, AutomateSignature } from './automate.signature';
import { HandoverSender } from './handover/handover-sender';
import { Handovers } from './handover/handovers';
import { OwnerSender } from './handover/owner-sender';
import { ThreadlessHandovers } from './handover/threadless-handovers';

@Module({
  imports: [ChannelsModule, DeliveryModule, DoorModule, ManagedEndpointsModule, OneTimePasswordModule, StorageModule, ThreadsModule],
  controllers: [AutomateController],
  providers: [
    provideConfig(AutomateConfig),
    provideConfig(ServerConfig),
    provideConfig(ThreadCoordinatorConfig),
    AutomateSignature,
    HandoverSender,
    Handovers,
    OwnerSender,
    ThreadlessHandovers,
  ],
})
export class AutomateModule {
  private readonly logger = new Logger(AutomateModule.name);

  constructor(config: AutomateConfig, channels: Channels, doors: DoorRegistry, handovers: Handovers, threadless: ThreadlessHandovers) {
    const isConfigured = config.otpSecret.length > 0;
    doors.register(AUTOMATE, {
      isEnabled: () => config.enabled,
      missingSetting: () => (isConfigured ? undefined : 'hookServer.automate.otpSecret'),
    });
    channels.register({
      name: AUTOMATE,
      isEnabled: config.enabled,
      isConfigured,
      isProcessing: config.processEnabled,
      lanes: [{ name: 'default', queue: AUTOMATE_QUEUE, workerCount: 1 }],
      parse: (request) => [parseAutomate(request)],
      state: async () => ({
        missingSettings: handovers.missing.map(({ setting }) => setting),
        withoutThread: await threadless.waiting(),
      }),
    });
    if (!isConfigured) return;
    handovers.keepEndpoints();
    if (config.enabled) for (const { setting, so } of handovers.missing) this.logger.warn(`${setting} is not set: ${so}`);
  }
}
