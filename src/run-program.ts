import type { Logger } from 'nestjs-pino';
import { BrokerTopologyError } from './broker/broker-topology-error';
import { ConfigError } from './config/load-config';
import { withoutSecrets } from './config/log-stream';
import { currentSettings } from './config/provide-config';
import { DataFolderError } from './data-folder';
import { ListenError } from './http/listen';
import { SecretKeyError } from './secrets/key-file';

/** Those that an operator can mend are told without a stack. */
const EXPECTED = [ConfigError, DataFolderError, SecretKeyError, BrokerTopologyError, ListenError];

/** Runs a program of ours; when it cannot start the process ends with 1, or 78 where the settings are to blame. */
export function runProgram(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    const isExpected = EXPECTED.some((type) => error instanceof type);
    const text = error instanceof Error ? (isExpected ? error.message : (error.stack ?? error.message)) : String(error);
    withoutSecrets(process.stderr, knownSecrets()).write(`${text}\n`);
    process.exit(error instanceof ConfigError ? ConfigError.exitCode : 1);
  });
}

export function leaveOnRejections(logger: Logger): void {
  process.on('unhandledRejection', (reason) => {
    logger.fatal({ err: reason }, 'Nobody handled a rejection: leaving');
    process.exit(1);
  });
}

function knownSecrets(): string[] {
  try {
    return currentSettings().secrets();
  } catch {
    return [];
  }
}
