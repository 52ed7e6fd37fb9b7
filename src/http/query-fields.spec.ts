import { GatewayError } from '../core/errors';
import { type Query, QueryFields } from './query-fields';

/** Reads a list's two filters. @returns what is wrong. */
function problemsOf(query: Query): unknown {
  const fields = new QueryFields(query);
  fields.text('reason');
  fields.timeMs('since');
  try {
    fields.assertValid();
    return [];
  } catch (error) {
    return (error as GatewayError).problems;
  }
}

it.each<{ title: string; query: Query; problems: unknown }>([
  { title: 'nothing', query: {}, problems: [] },
  { title: 'what it knows, and the page', query: { reason: '503', since: '2026-11-22', limit: '5', cursor: 'x' }, problems: [] },
  {
    title: 'a slip in a name',
    query: { reasn: '503' },
    problems: [{ path: 'reasn', message: 'is not one of limit, cursor, reason, since' }],
  },
  {
    title: 'a name that every object has',
    query: { constructor: '' },
    problems: [{ path: 'constructor', message: 'is not one of limit, cursor, reason, since' }],
  },
  {
    title: 'two faults at once',
    query: { since: 'soon', unti: 'now' },
    problems: [expect.objectContaining({ path: 'since' }), expect.objectContaining({ path: 'unti' })],
  },
])('judges $title', ({ query, problems }) => {
  expect(problemsOf(query)).toEqual(problems);
});
