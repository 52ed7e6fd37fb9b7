import { join } from 'node:path';
import { ROOT } from '../test/support/build';
import { startServices } from '../test/support/services/services';
import type { Bench } from './bench';
import { BENCHES } from './benches';

/** bench/README.md lists the options. */
async function run(): Promise<void> {
  const chosen = benchesFor(option('only'));
  const profileFolder = process.argv.includes('--profile') ? join(ROOT, 'bench', 'profiles') : undefined;
  const context = {
    rounds: Number(option('rounds') ?? 3),
    scale: Number(option('scale') ?? 1),
    ...(profileFolder !== undefined && { profileFolder }),
  };
  const services = await startServices();
  Object.assign(process.env, services.environment);
  try {
    for (const bench of chosen) {
      for (const line of await bench.run(context)) console.log(JSON.stringify(line));
    }
    if (profileFolder) process.stderr.write(`Profiles are in ${profileFolder}; bench/README.md says how to read them.\n`);
  } finally {
    await services.stop();
  }
}

/** @throws Error that names the figures, when one is not known. */
function benchesFor(only: string | undefined): readonly Bench[] {
  if (only === undefined) return BENCHES.slice(0, 1);
  if (only === 'all') return BENCHES;
  const names = only.split(',');
  const known = BENCHES.flatMap((bench) => bench.names);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`No figure is called ${unknown.join(', ')}; there are ${known.join(', ')}, all.`);
  return BENCHES.filter((bench) => bench.names.some((name) => names.includes(name)));
}

const option = (name: string): string | undefined => process.argv.find((argument) => argument.startsWith(`--${name}=`))?.split('=')[1];

run().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
