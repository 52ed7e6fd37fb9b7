import { SqlThreadStore } from '../../../src/threads/sql/sql-thread-store';
import { ENGINES } from '../storage/engines';
import type { StoreUnderTest } from './harness';

const ofStorage: StoreUnderTest[] = ENGINES.map(({ engine, place }) => ({
  name: engine,
  open: async () => {
    const { open, release } = await place();
    const storage = await open();
    return {
      store: new SqlThreadStore(storage),
      settled: () => Promise.resolve(),
      release: async () => {
        await storage.close();
        await release();
      },
    };
  },
}));

export const STORES: StoreUnderTest[] = [...ofStorage];
