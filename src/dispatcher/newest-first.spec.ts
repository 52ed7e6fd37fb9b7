import { pageNewestFirst, type Scan } from './newest-first';

/** Rows with the ids 99 to 10; wanted are those whose number is a multiple of `every`. */
const scanOf = (every: number): Scan<{ id: string }> => {
  const ids = Array.from({ length: 90 }, (_, index) => String(99 - index));
  const below = (before: string | undefined): string[] => ids.filter((id) => before === undefined || id < before);
  return {
    nthBelow: (before, n) => Promise.resolve(below(before)[n - 1]),
    wanted: (before, from, limit) =>
      Promise.resolve(
        below(before)
          .filter((id) => (from === undefined || id >= from) && Number(id) % every === 0)
          .slice(0, limit)
          .map((id) => ({ id })),
      ),
  };
};

async function walk(
  every: number,
  limit: number,
  bounds: { chunkRows: number; maxRows: number },
): Promise<{ ids: string[]; pages: number }> {
  const ids: string[] = [];
  let cursor: string | undefined;
  for (let pages = 1; ; pages++) {
    const page = await pageNewestFirst({ limit, cursor }, bounds, scanOf(every));
    ids.push(...page.data.map((row) => row.id));
    if (page.nextCursor === null) return { ids, pages };
    cursor = page.nextCursor;
  }
}

describe('pageNewestFirst', () => {
  it.each([
    { every: 1, limit: 7, chunkRows: 5, maxRows: 20 },
    { every: 1, limit: 90, chunkRows: 90, maxRows: 90 },
    { every: 1, limit: 45, chunkRows: 45, maxRows: 90 },
    { every: 3, limit: 4, chunkRows: 10, maxRows: 20 },
    { every: 10, limit: 1, chunkRows: 1, maxRows: 3 },
    { every: 50, limit: 5, chunkRows: 7, maxRows: 14 },
    { every: 1000, limit: 5, chunkRows: 7, maxRows: 14 },
  ])('gives each row once, newest first: %j', async ({ every, limit, ...bounds }) => {
    const { ids } = await walk(every, limit, bounds);
    const expected = Array.from({ length: 90 }, (_, index) => 99 - index).filter((number) => number % every === 0);
    expect(ids).toEqual(expected.map(String));
  });

  it('ends with the last row where the page is just full', async () => {
    expect(await walk(1, 30, { chunkRows: 100, maxRows: 100 })).toMatchObject({ pages: 3 });
  });

  it('stops at its bound and says where to go on', async () => {
    const page = await pageNewestFirst({ limit: 5, cursor: undefined }, { chunkRows: 10, maxRows: 20 }, scanOf(1000));
    expect(page).toEqual({ data: [], nextCursor: '80' });
  });
});
