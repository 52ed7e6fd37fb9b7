/** Idle threads cost next to nothing. */
const THREADS = '32';

/**
 * Names are looked up by at most half of the process's threads: of the usual four, two names that hang would hold up all others.
 * To be called before anything uses them.
 */
export function widenThreadPool(): void {
  process.env['UV_THREADPOOL_SIZE'] ??= THREADS;
}
