import { type ChildProcess, execFile, spawn, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, closeSync, constants, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

export const execute = promisify(execFile);

/** The first of the folders, then of PATH, that holds the program. */
export function findProgram(name: string, folders: readonly string[] = []): string | undefined {
  const candidates = [...folders, ...(process.env.PATH ?? '').split(delimiter)].map((folder) => join(folder, name));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(
    servers.map(async (server) => {
      server.close();
      await once(server, 'close');
    }),
  );
  return ports;
}

export interface Account {
  uid: number;
  gid: number;
}

export interface ProgramOptions {
  env?: NodeJS.ProcessEnv;
  /** Run as this account instead of ours. */
  account?: Account;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/**
 * A temporary folder with at most one program running on it. Both are gone when this process is, however it ends: a
 * guardian waits for the end of its input, which the system closes for us even after a kill -9.
 */
export class Workspace {
  /** How the program ended, once it does; undefined before the first start. */
  exited: Promise<Exit> | undefined;
  private program: ChildProcess | undefined;

  private constructor(
    readonly folder: string,
    private readonly guardian: ChildProcess,
  ) {}

  static async create(name: string): Promise<Workspace> {
    const folder = await mkdtemp(join(tmpdir(), `hookline-${name}-`));
    const script = 'while read -r group; do last=$group; done; [ -n "$last" ] && kill -s KILL -- "-$last" 2>/dev/null; rm -rf -- "$1"';
    const guardian = spawn('sh', ['-c', script, 'guardian', folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    guardian.unref();
    (guardian.stdin as unknown as Socket).unref();
    return new Workspace(folder, guardian);
  }

  /** What the program wrote, over all its starts. */
  get log(): string {
    return readLog(this.logFile);
  }

  private get logFile(): string {
    return join(this.folder, 'program.log');
  }

  get pid(): number | undefined {
    return this.program?.pid;
  }

  get isRunning(): boolean {
    return this.program !== undefined && this.program.exitCode === null && this.program.signalCode === null;
  }

  /** Starts the program as the leader of a process group of its own. */
  start(path: string, args: readonly string[], options: ProgramOptions = {}): void {
    const log = openSync(this.logFile, 'a');
    const stdio: StdioOptions = ['ignore', log, log];
    const program = spawn(path, args, { cwd: this.folder, detached: true, stdio, env: options.env ?? process.env, ...options.account });
    program.on('error', () => undefined); // seen by isRunning and by whoever waits for the service
    closeSync(log);
    program.unref();
    if (program.pid !== undefined) this.guardian.stdin?.write(`${program.pid}\n`);
    this.program = program;
    this.exited = new Promise((resolve) => program.once('exit', (code, signal) => resolve({ code, signal })));
  }

  /** Sends the signal and waits for the end; `wholeGroup` reaches the program's children as well. */
  async end(signal: NodeJS.Signals, wholeGroup: boolean): Promise<void> {
    const program = this.program;
    if (!program?.pid || !this.isRunning) return;
    const exited = once(program, 'exit');
    program.ref();
    process.kill(wholeGroup ? -program.pid : program.pid, signal);
    const timer = setTimeout(() => killGroup(program.pid), 20_000);
    await exited;
    clearTimeout(timer);
    killGroup(program.pid);
    this.program = undefined;
  }

  /** Kills what still runs and removes the folder. */
  async remove(): Promise<void> {
    await this.end('SIGKILL', true);
    const exited = once(this.guardian, 'exit');
    this.guardian.ref();
    this.guardian.stdin?.end();
    if (this.guardian.exitCode === null) await exited;
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** What a program leaves behind in its group. */
function killGroup(leader: number | undefined): void {
  try {
    if (leader) process.kill(-leader, 'SIGKILL');
  } catch {
    // Nothing was left.
  }
}

/** Tries until it does not throw; then the last error, with `context` added, after the deadline. */
export async function retrying<T>(what: string, deadlineMs: number, attempt: () => Promise<T>, context: () => string): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end) throw new Error(`${what} did not come up in ${deadlineMs} ms.\n${context()}`, { cause: error });
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A file's text; empty when there is none. */
export function readLog(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
