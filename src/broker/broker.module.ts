import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { AppConfig } from '../config/app.config';
import { provideConfig } from '../config/provide-config';
import { Broker } from './broker';
import { BrokerConfig, RabbitMqConfig, rabbitServers } from './broker.config';
import { EmbeddedBroker } from './embedded/embedded-broker';
import { RabbitMqBroker } from './rabbitmq/rabbitmq-broker';
import { TOPOLOGY } from './topology';

/** RabbitMQ where it is named in the settings, else the embedded broker in `dataDir`. */
async function makeBroker(app: AppConfig, config: BrokerConfig, rabbitMq: RabbitMqConfig): Promise<Broker> {
  const servers = rabbitServers(config, rabbitMq);
  if (servers.length > 0) return RabbitMqBroker.start({ ...config, servers }, TOPOLOGY);
  mkdirSync(app.dataDir, { recursive: true });
  return new EmbeddedBroker(join(app.dataDir, 'broker.db'), TOPOLOGY);
}

@Module({
  providers: [
    provideConfig(AppConfig),
    provideConfig(BrokerConfig),
    provideConfig(RabbitMqConfig),
    { provide: Broker, useFactory: makeBroker, inject: [AppConfig, BrokerConfig, RabbitMqConfig] },
  ],
  exports: [Broker],
})
export class BrokerModule implements OnApplicationShutdown {
  constructor(private readonly broker: Broker) {}

  /** Consumptions are stopped before, by those who started them. */
  onApplicationShutdown(): Promise<void> {
    return this.broker.close();
  }
}
