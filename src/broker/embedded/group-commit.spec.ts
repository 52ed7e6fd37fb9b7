import { GroupCommit } from './group-commit';

const write = (log: string[], name: string, bytes = 1) => ({
  bytes,
  apply: () => void log.push(`apply ${name}`),
  committed: () => void log.push(`committed ${name}`),
  failed: () => void log.push(`failed ${name}`),
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('GroupCommit', () => {
  it('confirms a group only after its one commit', async () => {
    const log: string[] = [];
    const commits = new GroupCommit((work) => {
      work();
      log.push('commit');
    });
    commits.add(write(log, 'a'));
    commits.add(write(log, 'b'));
    expect(log).toEqual([]);
    await turn();
    expect(log).toEqual(['apply a', 'apply b', 'commit', 'committed a', 'committed b']);
  });

  it('confirms nothing of a commit that failed, and goes on with the next', async () => {
    const log: string[] = [];
    let fails = true;
    const commits = new GroupCommit((work) => {
      work();
      if (fails) throw new Error('disk full');
    });
    commits.add(write(log, 'a'));
    await turn();
    fails = false;
    commits.add(write(log, 'b'));
    await turn();
    expect(log).toEqual(['apply a', 'failed a', 'apply b', 'committed b']);
  });

  it('bounds the bytes of one commit, leaves none behind', async () => {
    const log: string[] = [];
    let count = 0;
    const commits = new GroupCommit((work) => {
      count += 1;
      work();
    });
    for (const name of ['a', 'b', 'c']) commits.add(write(log, name, 5 * 1024 * 1024));
    await turn();
    expect(count).toBe(1);
    expect(commits.waitingBytes).toBe(10 * 1024 * 1024);
    commits.close();
    expect(count).toBe(3);
    expect(log.filter((line) => line.startsWith('committed'))).toHaveLength(3);
  });
});
