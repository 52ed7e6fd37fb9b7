import { Logger } from '@nestjs/common';
import { SecretBox } from '../../src/secrets/secret-box';
import { secretKey } from '../../src/secrets/secret-key';
import { fromRow, toRow } from '../../src/dispatcher/registry/endpoint-record';
import { IdentityCredentials, type PlatformIdentity } from '../../src/dispatcher/registry/identity-credentials';
import { OldSecrets } from '../../src/dispatcher/registry/old-secrets';
import { newId } from '../../src/core/ids';
import { KeysInUse } from '../../src/secrets/keys-in-use';
import { LoadedKeys } from '../../src/secrets/load-keys';
import { PlainRows } from '../../src/secrets/plain-rows';
import { Resealer } from '../../src/secrets/resealer';
import { SEALED_COLUMNS, credentialsContext, originalContext, sessionContext } from '../../src/secrets/sealed-columns';
import { RegistryVersion } from '../../src/storage/registry-version';
import type { Storage } from '../../src/storage/storage';
import { ENGINES, type Place } from '../conformance/storage/engines';
import { sampleRows } from '../conformance/storage/sample-rows';
import { type EndpointRow, endpointRow } from '../support/registry-rows';

const OLD = secretKey(Buffer.alloc(32, 1));
const NEW = secretKey(Buffer.alloc(32, 2));
const OTHER = secretKey(Buffer.alloc(32, 3));
const COUNT = 450;

beforeAll(() => Logger.overrideLogger(false));

describe.each(ENGINES)('sealed endpoints on $engine', (engine) => {
  let place: Place;
  let storage: Storage;

  beforeEach(async () => {
    place = await engine.place();
    storage = await place.open();
  });
  afterEach(async () => {
    await storage?.close();
    await place?.release();
  });

  /** What a process with these keys has. */
  const withKeys = (...keys: (typeof OLD)[]) => {
    const box = new SecretBox(keys);
    const version = new RegistryVersion(storage);
    const inUse = new KeysInUse(storage, box, new LoadedKeys(keys, 'the test', undefined), version);
    const resealer = new Resealer(storage, box, inUse);
    return { box, inUse, resealer, plainRows: new PlainRows(storage, resealer, version) };
  };
  const rows = (): Promise<EndpointRow[]> => storage.db.selectFrom('endpoints').selectAll().orderBy('id').execute();
  const keysOf = (row: EndpointRow): Set<string> =>
    new Set(
      SEALED_COLUMNS.flatMap((column) =>
        row[column] === null || row[column] === '{}' ? [] : [String(row[column]).split(':')[2] ?? 'plain'],
      ),
    );
  const plain = Array.from({ length: COUNT }, (_, index) =>
    endpointRow({
      secret: `whsec_${Buffer.from(`secret of endpoint number ${index}`).toString('base64')}`,
      ...(index % 2 === 0 && { headers: '{"x-number":"even"}', auth: '{"type":"bearer","token":"t"}' }),
      ...(index % 3 === 0 && { previous_secret: 'whsec_before', previous_secret_until: Date.now() + 1_000_000 }),
    }),
  );
  const contentOf = (box: SecretBox) => async () =>
    (await rows()).map((row) => {
      const { secret, previousSecret, auth, headers } = fromRow(row, box);
      return { id: row.id, secret, previousSecret, auth, headers };
    });

  it('of an older version are sealed in slices, and nothing else about them changes', async () => {
    await storage.insertMany(storage.db, 'endpoints', plain);
    const { box, plainRows } = withKeys(NEW);
    const before = await contentOf(box)();
    await plainRows.sealOnce();
    for (const row of await rows()) expect(keysOf(row)).toEqual(new Set([NEW.id]));
    expect(await contentOf(box)()).toEqual(before);
  });

  it('get another key while they are changed, and the old one is needed no more', async () => {
    const old = withKeys(OLD);
    await old.inUse.onModuleInit();
    await storage.insertMany(
      storage.db,
      'endpoints',
      plain.map((row) => toRow(fromRow(row, old.box), old.box)),
    );
    const both = withKeys(NEW, OLD);
    expect(await both.resealer.isKeyKnown()).toBe(false);
    await both.inUse.onModuleInit();
    expect(await both.resealer.isKeyKnown()).toBe(true);
    const before = await contentOf(both.box)();

    expect(await both.resealer.retireOtherKeys()).toBe(false);
    const sums: number[] = [];
    const changed = toRow(
      { ...fromRow(plain[440] as EndpointRow, both.box), secret: 'whsec_changed', headers: {}, auth: null, previousSecret: null },
      old.box,
    );
    let change: Promise<unknown> = Promise.resolve();
    const result = await both.resealer.sealAll((sum) => {
      sums.push(sum);
      // Somebody with the old key first changes one that comes later.
      if (sums.length === 1) change = storage.db.updateTable('endpoints').set(changed).where('id', '=', changed.id).execute();
    });
    await change;
    // Had it come too late, the next run would find it.
    await both.resealer.sealAll(() => undefined);
    expect(result.unreadable).toEqual([]);
    expect(sums.at(-1)).toBe(COUNT);
    for (const row of await rows()) expect(keysOf(row)).toEqual(new Set([NEW.id]));
    const after = await contentOf(both.box)();
    expect(after[440]?.secret).toBe('whsec_changed');
    expect(after.filter((_, index) => index !== 440)).toEqual(before.filter((_, index) => index !== 440));

    expect(await both.resealer.retireOtherKeys()).toBe(true);
    await withKeys(NEW).inUse.onModuleInit();
    await expect(old.inUse.onModuleInit()).resolves.toBeUndefined(); // it had looked before
    await expect(withKeys(OLD).inUse.onModuleInit()).rejects.toThrow(`sealed with the key ${NEW.id}; this process has ${OLD.id}`);
  });

  it('that no key opens stay as they are, and hold nobody up', async () => {
    const lost = new SecretBox([OTHER]);
    await storage.insertMany(
      storage.db,
      'endpoints',
      plain.map((row, index) => toRow(fromRow(row, lost), index === 7 ? lost : new SecretBox([OLD]))),
    );
    const both = withKeys(NEW, OLD);
    const { sealed, unreadable } = await both.resealer.sealAll(() => undefined);
    expect({ sealed, unreadable }).toEqual({ sealed: COUNT - 1, unreadable: [plain[7]?.id] });
    expect(keysOf((await rows())[7] as EndpointRow)).toEqual(new Set([OTHER.id]));
    expect(await both.resealer.retireOtherKeys()).toBe(false);
    expect(await both.resealer.sealAll(() => undefined)).toEqual({ sealed: 0, unreadable });
  });

  it('are no business of a process without their key', async () => {
    await withKeys(OLD).inUse.onModuleInit();
    const stranger = withKeys(NEW);
    await expect(stranger.inUse.onModuleInit()).rejects.toThrow('Set SECRETS_ENCRYPTION_KEYS to the keys that the other processes have');
    await expect(storage.transaction((trx) => stranger.inUse.use(trx))).rejects.toThrow(OLD.id);
    await withKeys(NEW, OLD).inUse.onModuleInit();
    // Now both are in use: the old one alone is not enough any more.
    await expect(withKeys(OLD).inUse.onModuleInit()).rejects.toThrow(`the key ${NEW.id}`);
    await withKeys(OLD, NEW).inUse.onModuleInit();
  });

  it('get another key together with the tokens of identities', async () => {
    const token = (box: SecretBox, externalId: string) => ({
      channel: 'twitter',
      external_id: externalId,
      account_id: 'default',
      created_at: 1,
      credentials: box.seal('["token","secret"]', credentialsContext('twitter', externalId)),
      credentials_at: 1,
    });
    const [old, lost] = [new SecretBox([OLD]), new SecretBox([OTHER])];
    await storage.insertMany(storage.db, 'account_identities', [
      token(old, '1'),
      token(lost, '2'),
      { ...token(old, '3'), credentials: null, credentials_at: null },
    ]);
    const { box, inUse, resealer } = withKeys(NEW, OLD);
    await inUse.onModuleInit();
    expect(await resealer.sealAll(() => undefined)).toEqual({ sealed: 1, unreadable: ['twitter 2'] });
    expect(await resealer.retireOtherKeys()).toBe(false);
    await storage.db.deleteFrom('account_identities').where('external_id', '=', '2').execute();
    expect(await resealer.retireOtherKeys()).toBe(true);

    const credentials = new IdentityCredentials(storage, box, inUse, new RegistryVersion(storage));
    const identities = await credentials.list('twitter');
    expect(identities.map(({ credentials: sealed }) => sealed?.split(':')[2])).toEqual([NEW.id, undefined]);
    expect(identities.map((identity) => credentials.open('twitter', identity))).toEqual([
      { accessToken: 'token', accessTokenSecret: 'secret' },
      undefined,
    ]);
    // Moved to another identity it does not open.
    expect(credentials.open('twitter', { ...(identities[0] as PlatformIdentity), externalId: '3' })).toBeUndefined();
  });

  it('get another key together with the sessions of the affinity proxy; those that no key opens are made anew', async () => {
    const session = (key: (typeof OLD)[], id: string) => ({
      key: id,
      cookie: new SecretBox(key).seal('heroku-42', sessionContext(id)),
      expires_at: 1,
    });
    await storage.insertMany(storage.db, 'affinity_sessions', [session([OLD], 'a'), session([OTHER], 'b')]);
    const { box, inUse, resealer } = withKeys(NEW, OLD);
    await inUse.onModuleInit();
    expect(await resealer.retireOtherKeys()).toBe(false);
    expect(await resealer.sealAll(() => undefined)).toEqual({ sealed: 1, unreadable: [] });
    const left = await storage.db.selectFrom('affinity_sessions').selectAll().execute();
    expect(left.map(({ key, cookie }) => [key, cookie.split(':')[2], box.open(cookie, sessionContext(key))])).toEqual([
      ['a', NEW.id, 'heroku-42'],
    ]);
    expect(await resealer.retireOtherKeys()).toBe(true);
  });

  it('get another key together with refused requests; those that no key opens go, those from before stay', async () => {
    const { id: _, ...request } = sampleRows().requests;
    const refused = (original: (id: string) => string | null) => {
      const id = newId();
      return { ...request, id, original: original(id) };
    };
    const sealedBy = (key: typeof OLD) => (id: string) => new SecretBox([key]).seal('{"target":"/"}', originalContext(id));
    const [ours, lost, before] = [refused(sealedBy(OLD)), refused(sealedBy(OTHER)), refused(() => null)];
    await storage.insertMany(storage.db, 'requests', [ours, lost, before]);
    const { box, inUse, resealer } = withKeys(NEW, OLD);
    await inUse.onModuleInit();
    expect(await resealer.retireOtherKeys()).toBe(false);
    expect(await resealer.sealAll(() => undefined)).toEqual({ sealed: 1, unreadable: [] });
    const left = await storage.db.selectFrom('requests').select(['id', 'original']).orderBy('id').execute();
    expect(left.map(({ id, original }) => [id, original && box.open(original, originalContext(id))])).toEqual([
      [ours.id, '{"target":"/"}'],
      [before.id, null],
    ]);
    expect(await resealer.retireOtherKeys()).toBe(true);
  });

  it('know one key where several processes start at once', async () => {
    const starts = await Promise.allSettled([OLD, NEW, OTHER].map((key) => withKeys(key).inUse.onModuleInit()));
    expect(starts.filter((start) => start.status === 'fulfilled')).toHaveLength(1);
  });

  it('forget a secret whose time is over, and no other', async () => {
    const { box } = withKeys(NEW);
    const now = Date.now();
    const times = [now - 120_000, now - 1, now + 1_000, null];
    const [over, ...others] = times.map((until) =>
      endpointRow({ previous_secret: until === null ? null : 'whsec_before', previous_secret_until: until }),
    );
    await storage.insertMany(
      storage.db,
      'endpoints',
      [over as EndpointRow, ...others].map((row) => toRow(fromRow(row, box), box)),
    );
    const before = await rows();
    await new OldSecrets(storage).forget();
    const after = new Map((await rows()).map((row) => [row.id, row]));
    for (const row of before) {
      const forgotten = row.id === over?.id ? { previous_secret: null, previous_secret_until: null } : {};
      expect(after.get(row.id)).toEqual({ ...row, ...forgotten });
    }
  });
});
