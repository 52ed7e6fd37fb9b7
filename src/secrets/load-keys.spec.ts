import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KeySources, loadKeys } from './load-keys';
import { secretKey } from './secret-key';

const CONFIGURED = Buffer.alloc(32, 3);
const idOf = (bytes: Buffer): string => secretKey(bytes).id;

describe('loadKeys', () => {
  let dataDir: string;
  let file: string;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'hookline-keys-'));
    file = join(dataDir, 'secrets.key');
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  const load = (changes: Partial<KeySources> = {}, mayMake = true) =>
    loadKeys({ configured: [], dataDir, adminKey: null, sharedDatabase: false, ...changes }, mayMake);
  const ids = (changes: Partial<KeySources> = {}): string[] => load(changes).keys.map((key) => key.id);

  it('makes a file that only this user may read, once', () => {
    const first = load();
    expect(first).toMatchObject({ origin: file, madeFile: file });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(Buffer.from(readFileSync(file, 'utf8'), 'base64')).toHaveLength(32);
    expect(load()).toMatchObject({ origin: file, madeFile: undefined, keys: [{ id: first.keys[0]?.id }] });
    expect(readdirSync(dataDir)).toEqual(['secrets.key']);
  });

  it('makes the folder too, and none where it may not', () => {
    expect(load({ dataDir: join(dataDir, 'new') }).keys).toHaveLength(1);
    expect(load({}, false).keys).toEqual([]);
    expect(readdirSync(dataDir)).toEqual(['new']);
  });

  it('seals with the first of the settings; the file still opens', () => {
    const [inFile] = ids();
    const configured = [CONFIGURED.toString('hex'), Buffer.alloc(32, 4).toString('base64')];
    expect(ids({ configured })).toEqual([idOf(CONFIGURED), idOf(Buffer.alloc(32, 4)), inFile]);
    expect(ids({ configured, sharedDatabase: true })).toEqual([idOf(CONFIGURED), idOf(Buffer.alloc(32, 4)), inFile]);
  });

  it('derives the same key everywhere from ADMIN_KEY where the database is shared, and makes no file', () => {
    const shared = { sharedDatabase: true, adminKey: 'an-admin-key-of-thirty-two-letters' };
    const derived = ids(shared);
    expect(derived).toHaveLength(1);
    expect(ids({ ...shared, dataDir: join(dataDir, 'elsewhere') })).toEqual(derived);
    expect(ids({ ...shared, adminKey: 'another-admin-key-of-many-letters' })).not.toEqual(derived);
    expect(readdirSync(dataDir)).toEqual([]);
    const [inFile] = ids();
    expect(ids(shared)).toEqual([...derived, inFile]);
    expect(ids({ ...shared, sharedDatabase: false })).toEqual([inFile]);
  });

  it('refuses a file that everybody may read, and makes private what a mounted volume gave to the group', () => {
    load();
    chmodSync(file, 0o644);
    expect(() => load()).toThrow(`Everybody on this machine may read ${file} (mode 644). Run chmod 600`);
    chmodSync(file, 0o660);
    expect(load().keys).toHaveLength(1);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it.each(['', 'no key', 'AAAA'])('refuses a file that holds %j, without showing it', (text) => {
    writeFileSync(file, text, { mode: 0o600 });
    expect(() => load()).toThrow(`${file} holds no key: it must be 32 bytes in base64. Restore it from a backup`);
  });

  it('says what to do where the folder cannot be written', () => {
    writeFileSync(join(dataDir, 'taken'), '');
    expect(() => load({ dataDir: join(dataDir, 'taken') })).toThrow('cannot be read');
    mkdirSync(file, { mode: 0o700 });
    expect(() => load()).toThrow('cannot be read');
  });
});
