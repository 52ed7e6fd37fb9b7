import { acquireEngines, type EngineSet } from '../support/engines';
import { Gateway } from '../support/gateway';

/** A gateway on engines of its own. `close` it in `afterAll`. */
export async function gatewayOn(
  set: EngineSet,
  env: Record<string, string> = {},
): Promise<{ gateway: Gateway; close: () => Promise<void> }> {
  const engines = await acquireEngines(set);
  const close = async (gateway?: Gateway): Promise<void> => {
    await gateway?.remove();
    await engines.release();
  };
  try {
    const gateway = await Gateway.ready({ ...engines.options, env });
    return { gateway, close: () => close(gateway) };
  } catch (error) {
    await close();
    throw error;
  }
}
