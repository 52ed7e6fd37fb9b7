import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataFolderError, lockDataFolder, makeDataFolder } from './data-folder';

const root = mkdtempSync(join(tmpdir(), 'hookline-folder-'));
afterAll(() => rmSync(root, { recursive: true }));

it('is made with its parents, for its owner only', () => {
  const folder = makeDataFolder(join(root, 'a', 'b'));
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(makeDataFolder(folder)).toBe(folder);
});

it('that cannot be made is told', () => {
  writeFileSync(join(root, 'file'), '');
  expect(() => makeDataFolder(join(root, 'file', 'x'))).toThrow(DataFolderError);
});

it('belongs to one process at a time, and to nobody after kill -9', async () => {
  const folder = makeDataFolder(join(root, 'locked'));
  const other = await holdInAnotherProcess(folder);
  try {
    expect(() => lockDataFolder(folder)).toThrow(/Another process works in .*locked/);
  } finally {
    other.kill('SIGKILL');
    await once(other, 'exit');
  }
  const lock = lockDataFolder(folder);
  lock.release();
  lockDataFolder(folder).release();
});

/** The same lock, taken as lockDataFolder takes it. */
async function holdInAnotherProcess(folder: string): Promise<ChildProcess> {
  const program = `
    const { DatabaseSync } = require('@photostructure/sqlite');
    const database = new DatabaseSync(process.argv[1]);
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    database.exec('BEGIN EXCLUSIVE');
    console.log('held');
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['-e', program, join(folder, 'lock.db')], {
    cwd: join(__dirname, '..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}
