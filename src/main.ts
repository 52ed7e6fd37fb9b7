import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger } from 'nestjs-pino';
import { AppModule } from './app.module';
import { AdminKey } from './auth/admin-key';
import { BrokerConfig, RabbitMqConfig, rabbitServers } from './broker/broker.config';
import { AppConfig, HttpConfig, ServerConfig } from './config/app.config';
import type { Settings } from './config/load-config';
import { currentSettings } from './config/provide-config';
import { widenThreadPool } from './config/thread-pool';
import { lockDataFolder, makeDataFolder } from './data-folder';
import { HTTP_APP_OPTIONS, configureHttp, httpAdapter } from './http/http-app';
import { listenOn } from './http/listen';
import { serveOpenApi } from './http/openapi';
import { leaveOnRejections, runProgram } from './run-program';
import { leaveOnSignals, shutDownOnSignals } from './shutdown';
import { DatabaseConfig } from './storage/storage.config';
import { VERSION } from './version';

async function main(): Promise<void> {
  leaveOnSignals();
  widenThreadPool();
  const settings = currentSettings();
  const server = settings.section(ServerConfig);
  const engines = enginesOf(settings);
  // Without an embedded engine nothing is kept here, and the file system may be read-only.
  const folder = engines.isEmbedded ? makeDataFolder(settings.section(AppConfig).dataDir) : undefined;
  const lock = folder === undefined ? undefined : lockDataFolder(folder);

  const app = await NestFactory.create<NestFastifyApplication>(AppModule, httpAdapter(settings.section(HttpConfig)), HTTP_APP_OPTIONS);
  const logger = app.get(Logger);
  app.useLogger(logger);
  // Nest would do so in its own listen.
  app.flushLogs();
  for (const name of settings.unknownVariables) logger.warn(`${name} is no setting: is it a typo?`);
  leaveOnRejections(logger);
  process.on('exit', () => lock?.release());
  configureHttp(app);
  serveOpenApi(app, VERSION);
  shutDownOnSignals(app, server);
  // Before listening: it is made during the start, and a place to listen that does not work must not cost it.
  app.get(AdminKey).onFirstRunKey((key) => {
    // Not through the log: this is its only copy, at any log level.
    process.stdout.write(`Admin key, shown this once: ${key}\n`);
  });
  const url = await listen(app, server);

  logger.log(`Hookline ${VERSION} listens on ${url}`);
  logger.log(`${folder === undefined ? 'No data here' : `Data in ${folder}`}; broker: ${engines.broker}, storage: ${engines.storage}`);
}

/** Not through Nest, which would log the error as well. @returns the URL. @throws ListenError that names the setting. */
async function listen(app: NestFastifyApplication, server: ServerConfig): Promise<string> {
  await app.init();
  return listenOn(app.getHttpAdapter().getInstance(), server);
}

interface Engines {
  broker: 'embedded' | 'RabbitMQ';
  storage: 'SQLite' | 'PostgreSQL';
  /** At least one of them keeps its files in the data folder, which belongs to one process then. */
  isEmbedded: boolean;
}

function enginesOf(settings: Settings): Engines {
  const broker = rabbitServers(settings.section(BrokerConfig), settings.section(RabbitMqConfig)).length === 0 ? 'embedded' : 'RabbitMQ';
  const storage = settings.section(DatabaseConfig).url === null ? 'SQLite' : 'PostgreSQL';
  return { broker, storage, isEmbedded: broker === 'embedded' || storage === 'SQLite' };
}

runProgram(main);
