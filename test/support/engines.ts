import type { GatewayOptions } from './gateway';
import { acquireDatabase, acquireVhost } from './services/services';

/** The whole-program tests run on each of these. */
export const ENGINE_SETS = ['embedded', 'rabbitmq and postgres'] as const;
export type EngineSet = (typeof ENGINE_SETS)[number];

export interface Engines {
  options: Pick<GatewayOptions, 'rabbitMqUrl' | 'databaseUrl'>;
  release(): Promise<void>;
}

/** Empty engines of the caller's own. */
export async function acquireEngines(set: EngineSet): Promise<Engines> {
  if (set === 'embedded') return { options: {}, release: () => Promise.resolve() };
  const [vhost, database] = await Promise.all([acquireVhost(), acquireDatabase()]);
  const release = async (): Promise<void> => {
    await Promise.all([vhost.release(), database.release()]);
  };
  return { options: { rabbitMqUrl: vhost.url, databaseUrl: database.url }, release };
}
