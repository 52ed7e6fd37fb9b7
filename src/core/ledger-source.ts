/**
 * The door that a source of the ledger came by: `in` for `in:<id of a source>`, else the source itself. There are few of them, so they
 * may be labels of metrics.
 */
export function doorOf(source: string): string {
  const end = source.indexOf(':');
  return end === -1 ? source : source.slice(0, end);
}
