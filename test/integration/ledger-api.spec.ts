import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpConfig } from '../../src/config/app.config';
import { loadConfig } from '../../src/config/load-config';
import { useSettings } from '../../src/config/provide-config';
import { LedgerTally, recordDelta } from '../../src/dispatcher/ledger-delta';
import { HTTP_APP_OPTIONS, configureHttp, httpAdapter } from '../../src/http/http-app';
import { ShellModule } from '../../src/http/shell.module';
import { LEDGER_CHECK } from '../../src/ledger/ledger-check.service';
import { LedgerModule } from '../../src/ledger/ledger.module';
import { RefusalsModule } from '../../src/refusals/refusals.module';
import { Storage } from '../../src/storage/storage';
import { StorageModule } from '../../src/storage/storage.module';

const ADMIN_KEY = 'an-admin-key-of-this-test-that-is-long-enough';

@Module({ imports: [ShellModule, RefusalsModule, StorageModule, LedgerModule] })
class TestModule {}

describe('GET /api/v1/ledger', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hookline-ledger-'));
  let app: NestFastifyApplication;
  let url: string;

  beforeAll(async () => {
    const settings = loadConfig({ DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'silent', ADMIN_KEY });
    useSettings(settings);
    app = await NestFactory.create(TestModule, httpAdapter(settings.section(HttpConfig)), { ...HTTP_APP_OPTIONS, logger: false });
    configureHttp(app);
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });

  afterAll(async () => {
    await app?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const get = async (key: string) => {
    const answer = await fetch(`${url}/api/v1/ledger`, { headers: { authorization: `Bearer ${key}` } });
    return { status: answer.status, body: (await answer.json()) as { balance: unknown } };
  };

  it('sums by source, in all, and at the door', async () => {
    expect(await get(ADMIN_KEY)).toEqual({
      status: 200,
      body: {
        total: { accepted: 0, delivered: 0, filtered: 0, duplicate: 0, dead: 0, cancelled: 0, pending: 0 },
        sources: [],
        door: { confirmed: 0, dispatched: 0 },
        balance: { ok: true, since: null, checkedAt: null, differences: [] },
      },
    });
    const tally = new LedgerTally();
    tally.accept('facebook', 'pending', 2);
    tally.doorConfirmed('facebook', 3);
    tally.doorDispatched('facebook', 2);
    tally.accept('events', 'filtered');
    await app.get(Storage).transaction((trx) => recordDelta(trx, tally));

    const zero = { delivered: 0, duplicate: 0, dead: 0, cancelled: 0 };
    expect((await get(ADMIN_KEY)).body).toEqual({
      total: { ...zero, accepted: 3, filtered: 1, pending: 2 },
      sources: [
        { source: 'events', ...zero, accepted: 1, filtered: 1, pending: 0 },
        { source: 'facebook', ...zero, accepted: 2, filtered: 0, pending: 2 },
      ],
      door: { confirmed: 3, dispatched: 2 },
      balance: { ok: true, since: null, checkedAt: null, differences: [] },
    });
  });

  it('says what its own check found', async () => {
    const difference = { source: 'facebook', check: 'pending', expected: 0, found: 2 };
    const state = { checkedAt: 2_000, sources: ['facebook'], differences: [{ ...difference, since: 1_000 }], alarmed: [] };
    const { db } = app.get(Storage);
    await db
      .insertInto('chores')
      .values({ name: LEDGER_CHECK.name, held_by: null, held_until: null, next_at: Date.now() + 5_000, state: JSON.stringify(state) })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ state: JSON.stringify(state) }))
      .execute();
    expect((await get(ADMIN_KEY)).body.balance).toEqual({
      ok: false,
      since: '1970-01-01T00:00:01.000Z',
      checkedAt: '1970-01-01T00:00:02.000Z',
      differences: [{ ...difference, since: '1970-01-01T00:00:01.000Z' }],
    });
  });

  it('is for admin keys', async () => {
    expect(await get('not-a-key')).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
    const made = await fetch(`${url}/api/v1/keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ accountId: 'default' }),
    });
    const { key } = (await made.json()) as { key: string };
    expect(await get(key)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  });
});
