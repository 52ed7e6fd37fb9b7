import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { ElasticsearchService } from '@nestjs/elasticsearch';
import { AuthModule } from '../auth/auth.module';
import { BrokerModule } from '../broker/broker.module';
import { provideConfig } from '../config/provide-config';
import { MetricsModule } from '../metrics/metrics.module';
import { Storage } from '../storage/storage';
import { StorageModule } from '../storage/storage.module';
import { ElasticsearchConfig, clientOptions } from './elasticsearch/elasticsearch.config';
import { ElasticsearchThreadStore } from './elasticsearch/elasticsearch-thread-store';
import { SqlThreadStore } from './sql/sql-thread-store';
import { StatementConsumer } from './statement-consumer';
import { StatementPublisher } from './statement-publisher';
import { ThreadRetention } from './thread-retention';
import { ThreadStore } from './thread-store';
import { ThreadsConfig } from './threads.config';
import { ThreadsController } from './threads.controller';

/** Elasticsearch where the settings name it, else the storage's own tables. */
function makeStore(config: ElasticsearchConfig, storage: Storage): ThreadStore {
  const options = clientOptions(config);
  if (options === undefined) return new SqlThreadStore(storage);
  return new ElasticsearchThreadStore(new ElasticsearchService(options), config.clusterName);
}

@Module({
  imports: [AuthModule, BrokerModule, MetricsModule, StorageModule],
  controllers: [ThreadsController],
  providers: [
    provideConfig(ThreadsConfig),
    provideConfig(ElasticsearchConfig),
    { provide: ThreadStore, inject: [ElasticsearchConfig, Storage], useFactory: makeStore },
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
