import { ERRORS } from './errors';

const HEAD = `# Errors

Every error of the HTTP interface is [problem+json](https://www.rfc-editor.org/rfc/rfc9457) with one of these codes. Codes are stable, texts are not: decide by
\`code\`. A 4xx is the caller's to mend, a 5xx is ours; a 503 says when to try again in \`Retry-After\`. \`requestId\`, also in the header \`x-request-id\`,
is listed at \`GET /api/v1/requests\` for a refusal at a door, and stands in the log line of a fault of our own (500). This page is generated from src/core/errors.ts by \`npm run docs:generate\`.
`;

/** The text of docs/errors.md. */
export function errorsPage(): string {
  const rows = Object.entries(ERRORS)
    .sort(([, a], [, b]) => a.status - b.status)
    .map(([code, { status, title, remedy }]) => [`\`${code}\``, String(status), title, remedy]);
  return `${HEAD}\n${table([['code', 'status', 'what happened', 'what to do'], ...rows])}`;
}

/** Columns are padded as Prettier pads them. */
function table([head = [], ...rows]: string[][]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => (row[column] ?? '').length)));
  const line = (row: string[]): string => `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |\n`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('');
}
