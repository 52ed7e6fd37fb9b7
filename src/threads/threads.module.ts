import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module';
import { BrokerModule } from '../broker/broker.module';
import { provideConfig } from '../config/provide-config';
import { MetricsModule } from '../metrics/metrics.module';
import { Storage } from '../storage/storage';
import { StorageModule } from '../storage/storage.module';
import { SqlThreadStore } from './sql/sql-thread-store';
import { StatementConsumer } from './statement-consumer';
import { StatementPublisher } from './statement-publisher';
import { ThreadRetention } from './thread-retention';
import { ThreadStore } from './thread-store';
import { ThreadsConfig } from './threads.config';
import { ThreadsController } from './threads.controller';

@Module({
  imports: [AuthModule, BrokerModule, MetricsModule, StorageModule],
  controllers: [ThreadsController],
  providers: [
    provideConfig(ThreadsConfig),
    { provide: ThreadStore, inject: [Storage], useFactory: (storage: Storage) => new SqlThreadStore(storage) },
    StatementPublisher,
    StatementConsumer,
    ThreadRetention,
  ],
  exports: [StatementPublisher, ThreadStore],
})
export class ThreadsModule implements OnApplicationShutdown {
  constructor(private readonly store: ThreadStore) {}

  async onApplicationShutdown(): Promise<void> {
    await this.store.close();
  }
}
