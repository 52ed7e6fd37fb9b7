import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A part of a bench in a process of its own, so that it does not take the measured one's event loop. */
export class Child {
  private constructor(private readonly process: ChildProcess) {}

  /** Starts `<name>.js` and hands it its task; resolves with its first message. */
  static async start<Reply>(name: string, task: object): Promise<{ child: Child; reply: Reply }> {
    const child = new Child(fork(join(__dirname, `${name}.js`), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
    const reply = await child.ask<Reply>(task);
    return { child, reply };
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** Sends a task and waits for the answer. */
  async ask<Reply>(task: object): Promise<Reply> {
    const settled = new AbortController();
    const { signal } = settled;
    const answered = Promise.race([
      once(this.process, 'message', { signal }).then(([reply]) => reply as Reply),
      once(this.process, 'exit', { signal }).then(([code]) => {
        throw new Error(`A part of the bench ended with ${String(code)}.`);
      }),
    ]).finally(() => settled.abort());
    this.process.send(task);
    return answered;
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exited = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await exited;
  }
}

/** The other side: answers each task; ends with the parent. */
export function serve<Task>(handle: (task: Task) => Promise<object>): void {
  process.on('disconnect', () => process.exit());
  process.on('message', (task: Task) => {
    void handle(task).then((reply) => process.send?.(reply));
  });
}
