import { isUtf8 } from 'node:buffer';
import { assertJsonDepth } from '../../core/json-slice';

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

/** Likeliest first; made one by one. Only what can be undone is tried: the order of members, or a number's zeros, are lost. */
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
  const value = valueOf(body, text);
  if (value === undefined) return;
  const compact = JSON.stringify(value);
  const indented = (indent: string): string =>
    compact.length * 2 + indent.length * indentLevels(compact) > MAX_LAYOUT_CHARACTERS ? compact : JSON.stringify(value, null, indent);
  const layouts: [string, () => string][] = [
    ['written anew as JSON; it was compact', () => compact],
    ['written anew as JSON; it was indented by two spaces', () => indented('  ')],
    ['written anew as JSON; it was indented by four spaces', () => indented('    ')],
    ['written anew as JSON; it was indented by tabs', () => indented('\t')],
    ['written anew as JSON; it had a space after each comma and colon', () => spaced(compact)],
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

function valueOf(body: Buffer, text: string): unknown {
  try {
    assertJsonDepth(body);
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Levels of indentation of all lines of compact JSON, at most: of a text its commas and brackets count too. */
function indentLevels(json: string): number {
  let [depth, levels] = [0, 0];
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    else if (character !== ',') continue;
    levels += Math.max(depth, 0);
  }
  return levels;
}

/** Of compact JSON: texts are matched whole, so that a comma in one stays as it is. */
const spaced = (json: string): string =>
  json.replaceAll(/"(?:[^"\\]|\\.)*"|[,:]/g, (token) => (token === ',' || token === ':' ? `${token} ` : token));

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
