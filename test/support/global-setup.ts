import { startServices } from './services/services';
import { keepForTeardown } from './global-teardown';

/** Once per run, before the workers start, so that they inherit the variables. */
export default async function globalSetup(): Promise<void> {
  const services = await startServices();
  keepForTeardown(() => services.stop());
  Object.assign(process.env, services.environment);
}
