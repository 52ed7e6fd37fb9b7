import { GatewayError } from '../core/errors';
import { WriteBatcher } from './write-batcher';

/** Writes that end when the test says so. */
function controlledWrites() {
  const groups: { items: readonly number[]; end: (error?: Error) => void }[] = [];
  const write = (items: readonly number[]): Promise<readonly string[]> =>
    new Promise((resolve, reject) => {
      groups.push({ items, end: (error) => (error ? reject(error) : resolve(items.map((item) => `r${item}`))) });
    });
  return { groups, write };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const addAll = (batcher: WriteBatcher<number, string>, ...items: number[]) =>
  Promise.allSettled(items.map((item) => batcher.add(item))).then((results) =>
    results.map((result) => (result.status === 'fulfilled' ? result.value : (result.reason as Error).message)),
  );

it('writes what came in one turn together and gives each caller its own result', async () => {
  const { groups, write } = controlledWrites();
  const results = addAll(new WriteBatcher({ maxCount: 10, maxInFlight: 1, write }), 1, 2, 3);
  await turn();
  groups[0]?.end();
  await expect(results).resolves.toEqual(['r1', 'r2', 'r3']);
  expect(groups.map((group) => group.items)).toEqual([[1, 2, 3]]);
});

it('starts no more groups than allowed and lets the next ones grow', async () => {
  const { groups, write } = controlledWrites();
  const batcher = new WriteBatcher({ maxCount: 2, maxInFlight: 2, write });
  const results = addAll(batcher, 1, 2, 3, 4, 5);
  await turn();
  expect(groups.map((group) => group.items)).toEqual([
    [1, 2],
    [3, 4],
  ]);
  const late = addAll(batcher, 6);
  await turn();
  expect(groups).toHaveLength(2);
  groups[1]?.end();
  await turn();
  await turn();
  expect(groups[2]?.items).toEqual([5, 6]);
  expect(batcher.pending).toBe(0);
  groups[0]?.end();
  groups[2]?.end();
  expect([...(await results), ...(await late)]).toEqual(['r1', 'r2', 'r3', 'r4', 'r5', 'r6']);
});

it('keeps a group within its bytes, but lets a larger item go alone', async () => {
  const { groups, write } = controlledWrites();
  void addAll(new WriteBatcher({ maxCount: 10, maxInFlight: 9, maxBytes: 10, sizeOf: (item) => item, write }), 4, 6, 1, 50, 2);
  await turn();
  expect(groups.map((group) => group.items)).toEqual([[4, 6], [1], [50], [2]]);
});

it('writes the items of a failed group alone, so that only the bad one fails', async () => {
  const write = (items: readonly number[]): Promise<readonly string[]> =>
    items.includes(2) ? Promise.reject(new Error('bad')) : Promise.resolve(items.map((item) => `r${item}`));
  const results = addAll(new WriteBatcher({ maxCount: 10, maxInFlight: 1, write }), 1, 2, 3);
  await expect(results).resolves.toEqual(['r1', 'bad', 'r3']);
});

it('fails a whole group at once when the storage is away', async () => {
  let writes = 0;
  const write = (): Promise<readonly string[]> => {
    writes++;
    return Promise.reject(new GatewayError('storage_unavailable', 'away'));
  };
  const results = addAll(new WriteBatcher<number, string>({ maxCount: 10, maxInFlight: 1, write }), 1, 2, 3);
  await expect(results).resolves.toEqual(['away', 'away', 'away']);
  expect(writes).toBe(1);
});

it('fails those who wait for their turn too when the storage is away, and goes on afterwards', async () => {
  const { groups, write } = controlledWrites();
  const batcher = new WriteBatcher({ maxCount: 2, maxInFlight: 1, write });
  const results = addAll(batcher, 1, 2, 3, 4, 5);
  await turn();
  groups[0]?.end(new GatewayError('storage_unavailable', 'away'));
  await expect(results).resolves.toEqual(['away', 'away', 'away', 'away', 'away']);
  expect(groups).toHaveLength(1);
  const later = addAll(batcher, 6);
  await turn();
  groups[1]?.end();
  await expect(later).resolves.toEqual(['r6']);
  await batcher.drain();
});

it('drains: resolves when everything is written', async () => {
  const { groups, write } = controlledWrites();
  const batcher = new WriteBatcher({ maxCount: 1, maxInFlight: 1, write });
  await batcher.drain();
  const written: string[] = [];
  for (const item of [1, 2]) void batcher.add(item).then((result) => written.push(result));
  const drained = batcher.drain();
  while (written.length < 2) {
    await turn();
    groups.at(-1)?.end();
  }
  await drained;
  expect(written).toEqual(['r1', 'r2']);
});
