import { QueueState } from './queue-state';
import { type Database, IDS_PER_QUEUE } from './store-schema';

const FIRST = IDS_PER_QUEUE + 1;

const row = (id: number) => ({ id, meta: JSON.stringify([`m${id - FIRST}`, '', 'q', {}]), body: Buffer.from('x') });

/** A database with three messages whose disk fails wherever `fails` says so. */
function flakyDatabase(fails: (what: 'read' | 'scan', id: number) => boolean): Database {
  const rows = [row(FIRST), row(FIRST + 1), row(FIRST + 2)];
  const check = (what: 'read' | 'scan', id: number): void => {
    if (fails(what, id)) throw new Error('disk I/O error');
  };
  const statements = {
    max: { get: () => ({ id: FIRST + 2 }) },
    scan: {
      *iterate(cursor: number, _end: number, limit: number) {
        for (const each of rows.filter(({ id }) => id > cursor).slice(0, limit)) {
          check('scan', each.id);
          yield each;
        }
      },
    },
    read: {
      get: (id: number) => {
        check('read', id);
        return rows.find((each) => each.id === id);
      },
    },
  };
  const prepare = (sql: string) => (sql.includes('max(id)') ? statements.max : sql.includes('limit') ? statements.scan : statements.read);
  return { prepare } as unknown as Database;
}

const positions = (queue: QueueState): number[] => queue.take(10, 1_000).map(({ position }) => position - FIRST);

describe('QueueState', () => {
  it('hands out after an error of the disk what it had read before it', () => {
    let isBroken = true;
    const queue = new QueueState(
      flakyDatabase((what, id) => isBroken && what === 'scan' && id === FIRST + 2),
      'q',
      1,
      3,
    );
    expect(() => positions(queue)).toThrow('disk I/O error');
    isBroken = false;
    expect(positions(queue)).toEqual([0, 1, 2]);
  });

  it('keeps what was given back and cannot be read', () => {
    let isBroken = false;
    const queue = new QueueState(
      flakyDatabase((what, id) => isBroken && what === 'read' && id === FIRST + 1),
      'q',
      1,
      3,
    );
    const taken = queue.take(10, 1_000);
    queue.giveBack(taken.map(({ position, redeliveries }) => ({ position, redeliveries })));
    isBroken = true;
    expect(() => positions(queue)).toThrow('disk I/O error');
    isBroken = false;
    expect(positions(queue)).toEqual([0, 1, 2]);
  });
});
