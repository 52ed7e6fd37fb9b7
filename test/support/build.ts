import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { eventually } from './eventually';
import { execute } from './services/processes';

/** The project's folder: the nearest one upwards with a package.json, since benches run compiled from elsewhere. */
export const ROOT = projectFolder(__dirname);

const LOCK = join(ROOT, 'node_modules', '.cache', 'hookline-build.lock');

/** Builds dist when a source is newer than it; one builder at a time, whatever the number of test workers. */
export async function ensureBuilt(): Promise<void> {
  while (await isStale()) {
    if (!takeLock()) {
      await eventually('another worker has built', () => !isLocked(), { deadlineMs: 120_000, everyMs: 100 });
      continue;
    }
    try {
      if (await isStale()) await execute('npm', ['run', 'build'], { cwd: ROOT });
      return;
    } catch (error) {
      const { stdout, message } = error as Error & { stdout?: string };
      throw new Error(`The build failed:\n${(stdout ?? message).slice(-3_000)}`, { cause: error });
    } finally {
      rmSync(LOCK, { force: true });
    }
  }
}

async function isStale(): Promise<boolean> {
  const built = await modifiedMs(join(ROOT, 'dist', 'main.js'));
  const sources = (await readdir(join(ROOT, 'src'), { recursive: true })).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'),
  );
  const files = ['nest-cli.json', 'tsconfig.json', 'tsconfig.build.json', ...sources.map((name) => join('src', name))];
  const times = await Promise.all(files.map((name) => modifiedMs(join(ROOT, name))));
  return Math.max(...times) > built;
}

const modifiedMs = (path: string): Promise<number> =>
  stat(path).then(
    (found) => found.mtimeMs,
    () => 0,
  );

function takeLock(): boolean {
  mkdirSync(join(LOCK, '..'), { recursive: true });
  if (!isLocked()) rmSync(LOCK, { force: true }); // a builder that was killed
  try {
    writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}

function isLocked(): boolean {
  try {
    process.kill(Number(readFileSync(LOCK, 'utf8')) || process.pid, 0);
    return true;
  } catch {
    return false;
  }
}

function projectFolder(from: string): string {
  const candidate = resolve(from, 'package.json');
  if (!from.includes('node_modules') && statSync(candidate, { throwIfNoEntry: false })) return from;
  return projectFolder(resolve(from, '..'));
}
