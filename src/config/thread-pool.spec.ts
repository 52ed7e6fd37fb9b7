import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { widenThreadPool } from './thread-pool';

const NAME = 'UV_THREADPOOL_SIZE';

describe('the threads that look up names', () => {
  const before = process.env[NAME];
  afterEach(() => {
    if (before === undefined) delete process.env[NAME];
    else process.env[NAME] = before;
  });

  it.each([
    [undefined, '32'],
    ['8', '8'],
  ])('of %s are %s', (set, expected) => {
    if (set === undefined) delete process.env[NAME];
    else process.env[NAME] = set;
    widenThreadPool();
    expect(process.env[NAME]).toBe(expected);
  });

  it('are as many as the running process says, though it says so late', () => {
    const { [NAME]: _, ...env } = process.env;
    const program = `
      require('undici');
      process.env.${NAME} = '32';
      require('node:dns').lookup('localhost', () => console.log(require('node:fs').readdirSync('/proc/self/task').length));`;
    const threads = Number(execFileSync(process.execPath, ['-e', program], { env, cwd: join(__dirname, '../..'), encoding: 'utf8' }));
    expect(threads).toBeGreaterThanOrEqual(32);
  });
});
