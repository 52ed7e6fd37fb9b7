import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { until } from './harness';

const running = new Set<ChildProcess>();

export interface Child {
  /** Lines it has written so far. */
  lines: string[];
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  wrote(count: number): Promise<void>;
}

/** Runs a TypeScript file of this folder in a process of its own. */
export function startChild(file: string, args: readonly string[]): Child {
  const child = spawn(process.execPath, ['--require', join(__dirname, 'typescript.js'), join(__dirname, file), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const lines: string[] = [];
  let errors = '';
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const wrote = (count: number): Promise<void> =>
    until(`${file} wrote ${count} lines`, () => {
      if (child.exitCode !== null) throw new Error(`${file} ended with ${child.exitCode}: ${errors}`);
      return lines.length >= count;
    });
  const kill = async (): Promise<void> => {
    running.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return { lines, kill, wrote };
}

export async function killChildren(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      child.kill('SIGKILL');
      await once(child, 'exit');
      running.delete(child);
    }),
  );
}
