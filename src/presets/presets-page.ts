import type { Field, Preset } from './preset';
import { PRESETS } from './presets';

const HEAD = `# Presets

What a source (\`POST /api/v1/sources\`, [sources.md](sources.md)) may have in \`verification.type\`. Signatures are checked over the bytes as they came,
in constant time, before anything is parsed. Of several \`secrets\` (1 to 5, the newest first) any counts, so that a secret can be changed without a gap: add
the new one, change it at the sender, take the old one away. \`secret\` is the same with one. All secrets are sealed and never shown.

A missing signature is 401 \`signature_missing\`, one that does not match \`signature_invalid\`, one that is right but of another time \`signature_expired\`;
without its secret a source answers 503 \`channel_not_configured\`. This page is generated from src/presets/presets.ts by \`npm run docs:generate\`.
`;

/** docs/presets.md. */
export const presetsPage = (): string => `${[HEAD, summary(), ...PRESETS.map(section)].join('\n')}`;

function summary(): string {
  const rows = PRESETS.map(({ type, title, reading, handshake }) => [
    `[\`${type}\`](#${type})`,
    title,
    reading.eventType,
    reading.dedupeKey,
    handshake?.title ?? 'none',
  ]);
  return table(['type', 'sender', 'event type', 'dedupe key', 'handshake'], rows);
}

function section({ type, verifies, documentation, fields, answer }: Preset): string {
  const rows = Object.entries(fields).map(([name, field]) => [`\`${name}\``, kindOf(name, field), field.description, defaultOf(field)]);
  const list = rows.length === 0 ? '' : `\n${table(['field', 'kind', 'what it is', 'default'], rows)}`;
  const answered = answer === undefined ? '' : ` Answered with \`${answer.body}\`.`;
  return `## ${type}\n\nChecks ${verifies}.${answered} [Contract](${documentation}).\n${list}`;
}

function kindOf(name: string, { kind, choices }: Field): string {
  if (name === 'secrets') return 'secrets';
  return choices === undefined ? kind : choices.map((choice) => `\`${choice}\``).join(', ');
}

function defaultOf(field: Field): string {
  if (field.generate !== undefined) return 'a new one';
  if (field.required === true) return 'required';
  return field.default === undefined ? '' : `\`${String(field.default)}\``;
}

/** Written as Prettier writes tables. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |\n`;
  const [first, ...rest] = cells;
  return line(first!) + line(widths.map((width) => '-'.repeat(width))) + rest.map(line).join('');
}
