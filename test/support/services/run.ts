import { startServices } from './services';

/** Both services for work by hand: prints their variables and runs until it is stopped. */
async function run(): Promise<void> {
  const services = await startServices();
  for (const [name, value] of Object.entries(services.environment)) console.log(`export ${name}=${value}`);
  const idle = setInterval(() => undefined, 60_000);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      clearInterval(idle);
      void services.stop();
    });
  }
}

void run();
