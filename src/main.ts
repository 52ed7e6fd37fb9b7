import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger } from 'nestjs-pino';
import { AppModule } from './app.module';
import { AdminKey } from './auth/admin-key';
import { BrokerTopologyError } from './broker/broker-topology-error';
import { BrokerConfig, RabbitMqConfig, rabbitServers } from './broker/broker.config';
import { AppConfig, HttpConfig, ServerConfig } from './config/app.config';
import { ConfigError, type Settings } from './config/load-config';
import { withoutSecrets } from './config/log-stream';
import { currentSettings } from './config/provide-config';
import { widenThreadPool } from './config/thread-pool';
import { DataFolderError, lockDataFolder, makeDataFolder } from './data-folder';
import { HTTP_APP_OPTIONS, configureHttp, httpAdapter } from './http/http-app';
import { serveOpenApi } from './http/openapi';
import { SecretKeyError } from './secrets/key-file';
import { shutDownOnSignals } from './shutdown';
import { DatabaseConfig } from './storage/storage.config';
import { VERSION } from './version';

async function main(): Promise<void> {
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
  process.on('unhandledRejection', (reason) => {
    logger.fatal({ err: reason }, 'Nobody handled a rejection: leaving');
    process.exit(1);
  });
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

/** Where the settings say that it listens does not work. */
class ListenError extends Error {
  override readonly name = 'ListenError';
}

const WHY_NOT: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there (set another PORT, or end that program)',
  EACCES: 'this user may not open it (set a PORT of 1024 or more)',
  EADDRNOTAVAIL: 'it is no address of this machine (set HOST)',
  ENOTFOUND: 'the name cannot be resolved (set HOST)',
  EAI_AGAIN: 'the name cannot be resolved (set HOST)',
};

/** Not through Nest, which would log the error as well. @returns the URL. @throws ListenError that names the setting. */
async function listen(app: NestFastifyApplication, { port, host }: ServerConfig): Promise<string> {
  await app.init();
  try {
    return await app.getHttpAdapter().getInstance().listen({ port, host });
  } catch (error) {
    const why = WHY_NOT[(error as NodeJS.ErrnoException).code ?? ''];
    if (why === undefined) throw error;
    throw new ListenError(`Cannot listen on ${host} port ${port}: ${why}`);
  }
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

/** Errors that an operator can mend are told without a stack. */
function fail(error: unknown): never {
  const expected =
    error instanceof ConfigError ||
    error instanceof DataFolderError ||
    error instanceof SecretKeyError ||
    error instanceof BrokerTopologyError ||
    error instanceof ListenError;
  const text = error instanceof Error ? (expected ? error.message : (error.stack ?? error.message)) : String(error);
  withoutSecrets(process.stderr, knownSecrets()).write(`${text}\n`);
  process.exit(error instanceof ConfigError ? ConfigError.exitCode : 1);
}

function knownSecrets(): string[] {
  try {
    return currentSettings().secrets();
  } catch {
    return [];
  }
}

main().catch(fail);
