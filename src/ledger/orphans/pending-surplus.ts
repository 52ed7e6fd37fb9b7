import type { Storage } from '../../storage/storage';
import { countOpenEvents } from '../open-events';
import { readSums } from '../sums';

/**
 * How many events of each source the ledger calls pending beyond those that have an open delivery. So many of the events that have lost
 * deliveries were pending; the others had been settled. Costs by the number of open events, so it is asked only when one was found.
 */
export async function pendingSurplus(storage: Storage): Promise<Map<string, number>> {
  return storage.snapshot(async (db) => {
    const open = await countOpenEvents(db, storage.engine);
    const sums = await readSums(db);
    return new Map(sums.map(({ source, pending }) => [source, pending - (open.get(source) ?? 0)]));
  });
}
