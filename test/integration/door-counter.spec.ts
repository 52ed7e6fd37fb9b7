import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { DoorCounter } from '../../src/channels/door-counter';
import { GatewayError } from '../../src/core/errors';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite-storage';
import { eventually } from '../support/eventually';

describe('the count of confirmed requests', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hookline-door-'));
  let storage: SqliteStorage;

  beforeEach(async () => {
    Logger.overrideLogger(false);
    storage = await SqliteStorage.open(join(folder, 'hookline.db'));
    await storage.db.deleteFrom('ledger_deltas').execute();
  });

  afterEach(() => storage.close());
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const rows = () => storage.db.selectFrom('ledger_deltas').select(['source', 'accepted', 'door_confirmed']).orderBy('source').execute();

  it('is written by itself, one row a source', async () => {
    const counter = new DoorCounter(storage);
    for (let request = 0; request < 5; request++) counter.confirmed('facebook');
    counter.confirmed('twilio');
    await eventually('the rows are there', async () => (await rows()).length > 0);
    expect(await rows()).toEqual([
      { source: 'facebook', accepted: 0, door_confirmed: 5 },
      { source: 'twilio', accepted: 0, door_confirmed: 1 },
    ]);
  });

  it('is written at the shutdown, and once', async () => {
    const counter = new DoorCounter(storage);
    counter.confirmed('facebook');
    await Promise.all([counter.flush(), counter.onApplicationShutdown()]);
    await counter.onApplicationShutdown();
    expect(await rows()).toEqual([{ source: 'facebook', accepted: 0, door_confirmed: 1 }]);
  });

  it('is kept while the storage is away', async () => {
    let isAway = true;
    const flaky = Object.assign(Object.create(storage) as SqliteStorage, {
      transaction: (work: Parameters<SqliteStorage['transaction']>[0]) =>
        isAway ? Promise.reject(new GatewayError('storage_unavailable')) : storage.transaction(work),
    });
    const counter = new DoorCounter(flaky);
    counter.confirmed('facebook', 2);
    await counter.flush();
    counter.confirmed('facebook');
    isAway = false;
    await counter.flush();
    expect(await rows()).toEqual([{ source: 'facebook', accepted: 0, door_confirmed: 3 }]);
    await counter.onApplicationShutdown();
  });
});
