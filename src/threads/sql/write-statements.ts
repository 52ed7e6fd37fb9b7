import { CompiledQuery } from 'kysely';
import { bulkQuery } from '../../storage/bulk-query';
import { arrayParameter } from '../../storage/postgres/array-parameter';
import type { StatementsTable, ThreadsTable } from '../../storage/schema';
import type { Storage } from '../../storage/storage';
import type { ThreadStatement } from '../thread';

const THREAD_COLUMNS = [
  ['account_id', 'text'],
  ['id', 'text'],
  ['channel', 'text'],
  ['last_at', 'int8'],
] as const satisfies (readonly [keyof ThreadsTable, string])[];

const STATEMENT_COLUMNS = [
  ['account_id', 'text'],
  ['thread_id', 'text'],
  ['at', 'int8'],
  ['event_id', 'uuid'],
  ['author', 'text'],
  ['own', 'int2'],
  ['text', 'text'],
  ['attachments', 'text'],
] as const satisfies (readonly [keyof StatementsTable, string])[];

type Columns = readonly (readonly [string, string])[];

const namesOf = (columns: Columns): string => columns.map(([name]) => name).join(', ');
const arraysOf = (columns: Columns, first: number): string => columns.map(([, type], index) => `$${first + index}::${type}[]`).join(', ');
const marksOf = (columns: Columns): string => columns.map(() => '?').join(', ');

const NEWER = `on conflict (account_id, id) do update set last_at = excluded.last_at where threads.last_at < excluded.last_at`;

const ON_POSTGRES = `
  with seen as (
    insert into threads (${namesOf(THREAD_COLUMNS)}) select * from unnest(${arraysOf(THREAD_COLUMNS, 1)}) ${NEWER}
  )
  insert into statements (${namesOf(STATEMENT_COLUMNS)})
  select * from unnest(${arraysOf(STATEMENT_COLUMNS, 1 + THREAD_COLUMNS.length)}) on conflict do nothing`;

const ON_SQLITE = {
  threads: `insert into threads (${namesOf(THREAD_COLUMNS)}) values (${marksOf(THREAD_COLUMNS)}) ${NEWER}`,
  statements: `insert into statements (${namesOf(STATEMENT_COLUMNS)}) values (${marksOf(STATEMENT_COLUMNS)}) on conflict do nothing`,
};

/** One transaction; one statement on PostgreSQL. A statement that is there stays as it is. */
export async function writeStatements(storage: Storage, statements: readonly ThreadStatement[]): Promise<void> {
  const threads = threadRows(statements);
  const rows = statements.map(statementRow);
  if (storage.engine === 'postgres') {
    const parameters = [
      ...THREAD_COLUMNS.map(([name, type]) => arrayParameter(type, column(threads, name))),
      ...STATEMENT_COLUMNS.map(([name, type]) => arrayParameter(type, column(rows, name))),
    ];
    await storage.execute(CompiledQuery.raw(ON_POSTGRES, parameters));
    return;
  }
  await storage.transaction(async (trx) => {
    await trx.executeQuery(bulkQuery(ON_SQLITE.threads, valuesOf(threads, THREAD_COLUMNS)));
    await trx.executeQuery(bulkQuery(ON_SQLITE.statements, valuesOf(rows, STATEMENT_COLUMNS)));
  });
}

/** One row a thread, in the order of its key: two that write the same threads wait for each other in line. */
function threadRows(statements: readonly ThreadStatement[]): ThreadsTable[] {
  const threads = new Map<string, ThreadsTable>();
  for (const { accountId, threadId, channel, at } of statements) {
    const key = `${accountId}\0${threadId}`;
    const row = threads.get(key);
    if (row === undefined) threads.set(key, { account_id: accountId, id: threadId, channel, last_at: at });
    else if (row.last_at < at) row.last_at = at;
  }
  return [...threads].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

const statementRow = (statement: ThreadStatement): StatementsTable => ({
  account_id: statement.accountId,
  thread_id: statement.threadId,
  at: statement.at,
  event_id: statement.eventId,
  author: statement.author,
  own: statement.own ? 1 : 0,
  text: statement.text,
  attachments: statement.attachments.length === 0 ? '[]' : JSON.stringify(statement.attachments),
});

const column = <R extends object, K extends keyof R>(rows: readonly R[], name: K): R[K][] => rows.map((row) => row[name]);

const valuesOf = <R extends object>(rows: readonly R[], columns: readonly (readonly [keyof R, string])[]): unknown[][] =>
  rows.map((row) => columns.map(([name]) => row[name]));
