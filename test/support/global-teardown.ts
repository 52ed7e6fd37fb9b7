// Jest loads the two files apart, so they share by the global object.
const shared = globalThis as { stopTestServices?: () => Promise<void> };

export function keepForTeardown(stop: () => Promise<void>): void {
  shared.stopTestServices = stop;
}

/** An interrupted run does not come here; the guardians of services/processes.ts end the services then. */
export default async function globalTeardown(): Promise<void> {
  await shared.stopTestServices?.();
}
