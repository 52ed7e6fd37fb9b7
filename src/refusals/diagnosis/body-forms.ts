import { isUtf8 } from 'node:buffer';
import { assertJsonDepth } from '../../core/json-slice';
import { indentLevels, indentedJson, jsonTokens, spacedJson } from './json-layout';

/** A body as it may have been before somebody on the way wrote it anew. */
export interface BodyForm {
  /** What was done to it, as in "the body was …". */
  change: string;
  body: Buffer;
}

/** Reading and writing more than this at once would hold up the event loop. */
const MAX_JSON_BYTES = 1_048_576;
/** Of a layout: indented, a kilobyte of deep lists may be a hundred. */
const MAX_LAYOUT_CHARACTERS = 4 * 1_048_576;
const BOM = '\ufeff';

/** Likeliest first; made one by one. Only what can be undone is tried: the order of members is lost. */
export function* bodyForms(body: Buffer): Generator<BodyForm> {
  if (body.length === 0 || !isUtf8(body)) return;
  const text = body.toString('utf8');
  for (const [change, form] of textForms(body, text)) if (form !== text) yield { change, body: Buffer.from(form) };
}

function* textForms(body: Buffer, text: string): Generator<[string, string]> {
  yield* lineForms(text);
  if (body.length > MAX_JSON_BYTES) return;
  yield* jsonForms(body, text);
  yield* formForms(text);
}

const lineForms = (text: string): [string, string][] => [
  ['stripped of the line feed at its end', `${text}\n`],
  ['stripped of the line break (CRLF) at its end', `${text}\r\n`],
  ['given a line break at its end', text.replace(/\r?\n$/, '')],
  ['stripped of white space at its ends', text.trim()],
  ['changed from CRLF to LF', text.replaceAll(/\r?\n/g, '\r\n')],
  ['changed from LF to CRLF', text.replaceAll('\r\n', '\n')],
  ['stripped of its byte order mark', BOM + text],
  ['given a byte order mark', text.startsWith(BOM) ? text.slice(1) : text],
];

function* jsonForms(body: Buffer, text: string): Generator<[string, string]> {
  if (!isJsonContainer(body, text)) return;
  const tried = new Set<string>();
  for (const tokens of tokenForms(jsonTokens(text))) {
    const compact = tokens.join('');
    if (tried.has(compact)) continue;
    tried.add(compact);
    yield* layoutForms(tokens, compact);
  }
}

function* layoutForms(tokens: readonly string[], compact: string): Generator<[string, string]> {
  const levels = indentLevels(tokens);
  const indented = (indent: string): string =>
    compact.length * 2 + indent.length * levels > MAX_LAYOUT_CHARACTERS ? compact : indentedJson(tokens, indent);
  const layouts: [string, () => string][] = [
    ['written anew as JSON; it was compact', () => compact],
    ['written anew as JSON; it was indented by two spaces', () => indented('  ')],
    ['written anew as JSON; it was indented by four spaces', () => indented('    ')],
    ['written anew as JSON; it was indented by tabs', () => indented('\t')],
    ['written anew as JSON; it had a space after each comma and colon', () => spacedJson(tokens)],
  ];
  for (const [index, [change, make]] of layouts.entries()) {
    const layout = make();
    if (index > 0 && layout === compact) continue;
    yield [change, layout];
    yield [`${change}, with other characters than ASCII escaped`, escaped(layout)];
    yield [`${change}, with slashes escaped`, layout.replaceAll('/', '\\/')];
    yield [`${change}, with slashes and other characters than ASCII escaped`, escaped(layout.replaceAll('/', '\\/'))];
    yield [`${change}, with a line feed at its end`, `${layout}\n`];
  }
}

function isJsonContainer(body: Buffer, text: string): boolean {
  try {
    assertJsonDepth(body);
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}

/** As they came; then with texts as JSON.stringify writes them; then numbers too. */
function* tokenForms(tokens: readonly string[]): Generator<readonly string[]> {
  yield tokens;
  yield tokens.map((token) => (token.startsWith('"') ? rewritten(token) : token));
  yield tokens.map((token) => (/^["\d-]/.test(token) ? rewritten(token) : token));
}

const rewritten = (token: string): string => JSON.stringify(JSON.parse(token));

const escaped = (json: string): string =>
  json.replaceAll(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

function formForms(text: string): [string, string][] {
  if (!/^[^=&\s{["]+=[^\s]*$/.test(text)) return [];
  const written = new URLSearchParams(text).toString();
  return [
    ['written anew as a form', written],
    ['written anew as a form; spaces were %20', written.replaceAll('+', '%20')],
    ['written anew as a form; its escapes were in lower case', written.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())],
  ];
}
