import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Logger } from 'nestjs-pino';
import { AffinityModule } from './affinity/affinity.module';
import { AppConfig, ServerConfig } from './config/app.config';
import { AFFINITY_PROXY } from './config/environment';
import { loadConfig } from './config/load-config';
import { LoggingModule } from './config/logging.module';
import { useSettings } from './config/provide-config';
import { widenThreadPool } from './config/thread-pool';
import { lockDataFolder, makeDataFolder } from './data-folder';
import { DrainingModule } from './http/draining';
import { leaveOnRejections, runProgram } from './run-program';
import { leaveOnSignals, shutDownOnSignals } from './shutdown';
import { DatabaseConfig } from './storage/storage.config';

@Module({ imports: [LoggingModule, DrainingModule, AffinityModule] })
class AffinityProxyModule {}

/** `npm run affinity`: the affinity proxy without the gateway. */
async function main(): Promise<void> {
  leaveOnSignals();
  widenThreadPool();
  const settings = loadConfig(undefined, AFFINITY_PROXY);
  useSettings(settings);
  const isEmbedded = settings.section(DatabaseConfig).url === null;
  const lock = isEmbedded ? lockDataFolder(makeDataFolder(settings.section(AppConfig).dataDir)) : undefined;
  process.on('exit', () => lock?.release());

  const app = await NestFactory.createApplicationContext(AffinityProxyModule, { bufferLogs: true, abortOnError: false });
  const logger = app.get(Logger);
  app.useLogger(logger);
  app.flushLogs();
  leaveOnRejections(logger);
  shutDownOnSignals(app, settings.section(ServerConfig));
}

runProgram(main);
