import { Module } from '@nestjs/common';
import { LoggerModule, type Params } from 'nestjs-pino';
import { type LogFn, type Logger, destination } from 'pino';
import { AppConfig } from './app.config';
import { asText, withoutSecrets } from './log-stream';
import { currentSettings } from './provide-config';

const INFO = 30;

const SECRET_FIELDS = ['authorization', 'cookie', 'set-cookie', 'secret', 'password', 'token', 'x-hub-signature-256'];

/** What Nest tells of each module and route at the start; interesting to those who look for it. */
const INVENTORY = new Set(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestApplication']);

function skipInventory(this: Logger, args: unknown[], method: LogFn, level: number): void {
  const [fields] = args as [{ context?: unknown } | undefined];
  if (level === INFO && INVENTORY.has(String(fields?.context)) && !this.isLevelEnabled('debug')) return;
  method.apply(this, args as Parameters<LogFn>);
}

function loggerParams(): Params {
  const settings = currentSettings();
  const { logLevel, logFormat } = settings.section(AppConfig);
  const stdout = destination({ dest: 1, sync: true });
  const formatted = logFormat === 'text' ? asText(stdout) : stdout;
  return {
    pinoHttp: [
      {
        level: logLevel,
        base: null,
        autoLogging: false,
        hooks: { logMethod: skipInventory },
        redact: { paths: SECRET_FIELDS.flatMap((field) => [`["${field}"]`, `*["${field}"]`, `headers["${field}"]`]), censor: '***' },
      },
      withoutSecrets(formatted, settings.secrets()),
    ],
    // No middleware: a logger of its own for each request, carried along by async hooks, is the dearest part of a small
    // request. Lines about a request name its id themselves.
    forRoutes: [],
  };
}

@Module({ imports: [LoggerModule.forRootAsync({ useFactory: loggerParams })], exports: [LoggerModule] })
export class LoggingModule {}
