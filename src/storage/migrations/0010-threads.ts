import { type Transaction, sql } from 'kysely';
import type { Schema } from '../schema';
import type { Engine } from '../storage';

const THREADS = (big: string): string =>
  `create table threads (account_id text not null, id text not null, channel text not null, last_at ${big} not null, primary key (account_id, id))`;

/** The key is what reads a thread in its order, and tells a statement that is there already: one index for both. */
const STATEMENTS_KEY = '(account_id, thread_id, at, event_id)';

const STATEMENTS = {
  // The text index names rows by `id`: an implicit row id may change when the file is compacted.
  sqlite: [
    `create table statements (id integer primary key, account_id text not null, thread_id text not null, at integer not null,
      event_id text not null, author text not null, own integer not null, text text not null, attachments text not null,
      unique ${STATEMENTS_KEY}) strict`,
    `create virtual table statements_text using fts5(scope, text, content='', contentless_delete=1,
      tokenize='unicode61 remove_diacritics 0')`,
    // Whose it is stands in the index as a word, so that a search need not look at what others have said.
    `create trigger statements_text_insert after insert on statements begin
      insert into statements_text (rowid, scope, text) values (new.id,
        'a' || hex(new.account_id) || ' c' || hex(substr(new.thread_id, 1, instr(new.thread_id || ':', ':') - 1)), new.text);
    end`,
    `create trigger statements_text_delete after delete on statements begin
      delete from statements_text where rowid = old.id;
    end`,
  ],
  postgres: [
    `create table statements (account_id text not null, thread_id text not null, at bigint not null, event_id uuid not null,
      author text not null, own smallint not null, text text not null, attachments text not null, primary key ${STATEMENTS_KEY})`,
    `create index statements_by_text on statements using gin (to_tsvector('simple', text))`,
    'create index statements_by_time on statements using brin (at) with (autosummarize = on)',
  ],
} as const satisfies Record<Engine, readonly string[]>;

/** Conversations and what was said in them, where no Elasticsearch keeps them. */
export async function threads(trx: Transaction<Schema>, engine: Engine): Promise<void> {
  const statements = [
    engine === 'postgres' ? THREADS('bigint') : `${THREADS('integer')} strict, without rowid`,
    'create index threads_by_time on threads (last_at, account_id, id)',
    // Who asks for a conversation need not know whose it is.
    'create index threads_by_id on threads (id)',
    ...STATEMENTS[engine],
  ];
  for (const statement of statements) await sql.raw(statement).execute(trx);
}
