import { Module } from '@nestjs/common';
import { AffinityModule } from './affinity/affinity.module';
import { AuthModule } from './auth/auth.module';
import { BrokerModule } from './broker/broker.module';
import { AutomateModule } from './channels/automate/automate.module';
import { FacebookModule } from './channels/facebook/facebook.module';
import { TwilioModule } from './channels/twilio/twilio.module';
import { TwitterModule } from './channels/twitter/twitter.module';
import { WebexModule } from './channels/webex/webex.module';
import { LoggingModule } from './config/logging.module';
import { RecoveryModule } from './dispatcher/recovery/recovery.module';
import { RestApiModule } from './dispatcher/rest-api.module';
import { HealthModule } from './health/health.module';
import { ShellModule } from './http/shell.module';
import { LedgerModule } from './ledger/ledger.module';
import { RefusalsModule } from './refusals/refusals.module';
import { RetentionModule } from './retention/retention.module';
import { SourcesModule } from './sources/sources.module';
import { StorageModule } from './storage/storage.module';
import { TokenWebhooksModule } from './token-webhooks/token-webhooks.module';
import { ThreadsModule } from './threads/threads.module';

/** One line a module; deleting a channel is its folder and its line here. */
@Module({
  imports: [
    LoggingModule,
    ShellModule,
    StorageModule,
    BrokerModule,
    AuthModule,
    RefusalsModule,
    RestApiModule,
    RecoveryModule,
    ThreadsModule,
    FacebookModule,
    TwitterModule,
    TwilioModule,
    AutomateModule,
    WebexModule,
    SourcesModule,
    TokenWebhooksModule,
    AffinityModule,
    HealthModule,
    LedgerModule,
    RetentionModule,
  ],
})
export class AppModule {}
