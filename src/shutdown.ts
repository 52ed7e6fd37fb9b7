import { type INestApplicationContext, Logger } from '@nestjs/common';
import type { ServerConfig } from './config/app.config';
import { Draining } from './http/draining';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

const leave = (): never => process.exit(0);

/**
 * Until `shutDownOnSignals` nothing is under way, and the process ends at once. Without a handler a signal would be ignored where it
 * is the first process of a container.
 */
export function leaveOnSignals(): void {
  for (const signal of SIGNALS) process.on(signal, leave);
}

/**
 * Ends the process in order: readiness turns 503, `shutdownDelayMs` for load balancers to notice, then Nest's hooks (consumers
 * stop, deliveries drain, HTTP closes, everything is flushed, broker and storage close), then status 0. Past the deadline, or at a
 * second signal, status 1.
 */
export function shutDownOnSignals(app: INestApplicationContext, config: ServerConfig): void {
  const logger = new Logger('Shutdown');
  let isShuttingDown = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isShuttingDown) {
      logger.error(`${signal} again: leaving at once`);
      process.exit(1);
    }
    isShuttingDown = true;
    logger.log(`${signal}: shutting down`);
    setTimeout(() => {
      logger.error(`Not done after ${String(config.shutdownDeadlineMs)} ms: leaving`);
      process.exit(1);
    }, config.shutdownDeadlineMs).unref();
    shutDown(app, config.shutdownDelayMs).then(
      () => {
        logger.log('Done');
        process.exit(0);
      },
      (error: unknown) => {
        logger.error({ err: error }, 'The shutdown failed');
        process.exit(1);
      },
    );
  };
  // In this order: one that is under way to a last listener is lost with it.
  for (const signal of SIGNALS) process.on(signal, onSignal).off(signal, leave);
}

export async function shutDown(app: INestApplicationContext, delayMs: number): Promise<void> {
  // From now on each answer closes its connection; those that stay idle are closed with the server.
  app.get(Draining).start();
  if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
  await app.close();
}
