import { type RawBuilder, sql } from 'kysely';
import type { Engine } from '../../storage/storage';
import { MAX_SEARCHED_STATEMENTS, type ThreadQuery } from '../thread-store';

const LIMIT = sql.lit(MAX_SEARCHED_STATEMENTS);

/** Account and id of the threads of the newest statements that hold all words; undefined where the text holds no word. */
export function threadsWithWords(engine: Engine, query: ThreadQuery, text: string): RawBuilder<unknown> | undefined {
  const words = text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  if (words.length === 0) return undefined;
  return engine === 'postgres' ? onPostgres(query, words) : onSqlite(query, words);
}

function onPostgres({ account, channel }: ThreadQuery, words: readonly string[]): RawBuilder<unknown> {
  return sql`
    select account_id, thread_id from statements
    where to_tsvector('simple', text) @@ plainto_tsquery('simple', ${words.join(' ')})
      ${account === null ? sql`` : sql`and account_id = ${account}`}
      ${channel === undefined ? sql`` : sql`and starts_with(thread_id, ${`${channel}:`})`}
    order by event_id desc limit ${LIMIT}`;
}

function onSqlite({ account, channel }: ThreadQuery, words: readonly string[]): RawBuilder<unknown> {
  const terms = words.map((word) => `text : "${word.replaceAll('"', '""')}"`);
  if (account !== null) terms.push(`scope : "a${hexOf(account)}"`);
  if (channel !== undefined) terms.push(`scope : "c${hexOf(channel)}"`);
  return sql`
    select account_id, thread_id from statements where id in
      (select rowid from statements_text where statements_text match ${terms.join(' AND ')} order by rowid desc limit ${LIMIT})`;
}

const hexOf = (text: string): string => Buffer.from(text).toString('hex');
