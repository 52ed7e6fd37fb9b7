import { DatabaseSync } from '@photostructure/sqlite';

export type Database = InstanceType<typeof DatabaseSync>;

/**
 * The ids of a queue's messages lie in a range of its own, in the order of arrival, so one table without any further index
 * serves all queues: 4,096 queues of a million million messages fit below 2^53.
 */
export const IDS_PER_QUEUE = 2 ** 40;
export const MAX_QUEUES = 4_096;

/** `handed_out.count`: how often a message was handed out. The row is there while it is in hand or waits for another try. */
const SCHEMA = `
create table if not exists queues (id integer primary key, name text not null unique, depth integer not null default 0);
create table if not exists messages (id integer primary key, meta text not null, body blob not null);
create table if not exists handed_out (message integer primary key, count integer not null);
`;

export interface Durability {
  journalMode: string;
  /** 2 is FULL: each commit waits for its fsync. */
  synchronous: number;
  /** Rows that this very connection has changed since it was opened. */
  changes: number;
}

export function durabilityOf(db: Database): Durability {
  const { journal_mode } = db.prepare('pragma journal_mode').get() as { journal_mode: string };
  const { synchronous } = db.prepare('pragma synchronous').get() as { synchronous: number };
  const { changes } = db.prepare('select total_changes() as changes').get() as { changes: number };
  return { journalMode: journal_mode, synchronous, changes };
}

/** Opens the file for messages: a commit on this connection is on the disk when it returns. */
export function openDurable(path: string): Database {
  const db = new DatabaseSync(path, { timeout: 5_000 });
  db.exec('pragma journal_mode = wal; pragma synchronous = full; pragma fullfsync = on; pragma checkpoint_fullfsync = on;');
  db.exec('pragma journal_size_limit = 67108864; pragma cache_size = -16384;');
  const { journalMode, synchronous } = durabilityOf(db);
  if (journalMode !== 'wal' || synchronous !== 2) {
    db.close();
    throw new Error(`${path}: the file system gives no write-ahead log (journal_mode ${journalMode}, synchronous ${synchronous}).`);
  }
  db.exec(SCHEMA);
  return db;
}

/** The same file for what may be forgotten in a power cut, but not when the process dies: its commits do not wait for the disk. */
export function openQuick(path: string): Database {
  const db = new DatabaseSync(path, { timeout: 5_000 });
  db.exec('pragma synchronous = normal;');
  return db;
}
