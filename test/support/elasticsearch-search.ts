/** The part of Elasticsearch's query language that the stand-in knows; anything else is a mistake in the test or the store. */

export type Document = Record<string, unknown>;
type Scalar = string | number;

export interface Query {
  bool?: { filter: Query[] };
  term?: Record<string, Scalar>;
  terms?: Record<string, Scalar[]>;
  range?: Record<string, { gte?: number; lt?: number }>;
  ids?: { values: string[] };
  match?: Record<string, { query: string; operator: 'and' }>;
}

export interface SearchRequest {
  size: number;
  query: Query;
  sort?: Record<string, 'desc'>[];
  search_after?: Scalar[];
  aggs?: Record<string, { terms: { field: string; size: number }; aggs: Record<string, { min: { field: string } }> }>;
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/\p{Script=Han}|[\p{L}\p{N}_]+/gu) ?? [];

export function matches(query: Query, id: string, source: Document): boolean {
  const [[kind, value] = ['', undefined]] = Object.entries(query);
  const [[field, wanted] = ['', undefined]] = Object.entries(value as object) as [string, never][];
  const found = source[field];
  switch (kind) {
    case 'bool':
      return query.bool!.filter.every((part) => matches(part, id, source));
    case 'term':
      return found === wanted;
    case 'terms':
      return (wanted as unknown as unknown[]).includes(found);
    case 'ids':
      return query.ids!.values.includes(id);
    case 'range': {
      const { gte = -Infinity, lt = Infinity } = wanted as unknown as { gte?: number; lt?: number };
      return (found as number) >= gte && (found as number) < lt;
    }
    case 'match': {
      const words = wordsOf((wanted as unknown as { query: string }).query);
      const present = new Set(wordsOf(found as string));
      return words.length > 0 && words.every((word) => present.has(word));
    }
    default:
      throw new Error(`The stand-in knows no query ${JSON.stringify(query)}`);
  }
}

/** Sorted, descending, from after `search_after`. */
export function page<T extends readonly [string, { source: Document }]>(
  { sort = [], search_after: after, size }: SearchRequest,
  found: T[],
): T[] {
  const fields = sort.map((field) => Object.keys(field)[0]!);
  const keyOf = ([, { source }]: T): Scalar[] => fields.map((field) => source[field] as Scalar);
  const sorted = [...found].sort((a, b) => compare(keyOf(b), keyOf(a)));
  return sorted.filter((entry) => after === undefined || compare(keyOf(entry), after) < 0).slice(0, size);
}

function compare(a: readonly Scalar[], b: readonly Scalar[]): number {
  for (const [index, value] of a.entries()) {
    const other = b[index]!;
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}

/** `terms` with a `min` in each. */
export function aggregate(aggs: NonNullable<SearchRequest['aggs']>, sources: readonly Document[]): object {
  return Object.fromEntries(
    Object.entries(aggs).map(([name, { terms, aggs: inner }]) => {
      const groups = new Map<unknown, Document[]>();
      for (const source of sources) groups.set(source[terms.field], [...(groups.get(source[terms.field]) ?? []), source]);
      const buckets = [...groups].slice(0, terms.size).map(([key, group]) => ({
        key,
        doc_count: group.length,
        ...Object.fromEntries(
          Object.entries(inner).map(([part, { min }]) => [
            part,
            { value: Math.min(...group.map((source) => source[min.field] as number)) },
          ]),
        ),
      }));
      return [name, { buckets }];
    }),
  );
}
