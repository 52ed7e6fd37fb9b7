const HEAD = '<?xml version="1.0" encoding="UTF-8"?>';

/** Says nothing: no message is sent, a call is ended. */
export const EMPTY_TWIML = `${HEAD}<Response/>`;

/** One verb around a text: `<Response><Message>…</Message></Response>`. */
export const twimlOf = (verb: 'Message' | 'Say', text: string): string => `${HEAD}<Response><${verb}>${escaped(text)}</${verb}></Response>`;

/** Told from text by its first character: a text that begins with `<` has to be written as TwiML. */
export const isTwiml = (reply: string): boolean => reply.trimStart().startsWith('<');

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

const escaped = (text: string): string => text.replace(/[&<>]/g, (character) => ENTITIES[character]!);

/** Characters that no XML 1.0 document may have, not even escaped. */
const UNFIT = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Surrogate}]/u;

const NAME = '[A-Za-z_][\\w.:-]*';
const REFERENCE = '&(?:amp|lt|gt|quot|apos|#[0-9]+|#x[0-9A-Fa-f]+);';
const ATTRIBUTE = `\\s+${NAME}\\s*=\\s*(?:"(?:[^<&"]|${REFERENCE})*"|'(?:[^<&']|${REFERENCE})*')`;
/** What a document is made of, one after the other; no DOCTYPE, which could bring entities of its own. */
const TOKEN = new RegExp(
  [
    `<(?<start>${NAME})(?:${ATTRIBUTE})*\\s*(?<empty>/?)>`,
    `</(?<end>${NAME})\\s*>`,
    '<!--(?:[^-]|-[^-])*-->',
    '(?<data><!\\[CDATA\\[[^]*?\\]\\]>)',
    `(?<text>(?:[^<&]|${REFERENCE})+)`,
  ].join('|'),
  'y',
);

const NOT_ONE_RESPONSE = 'must be one <Response> and nothing around it';

/** Why this is no document that Twilio could read: it is not well-formed, or its root is not `<Response>`. Undefined if it is one. */
export function twimlProblem(xml: string): string | undefined {
  if (UNFIT.test(xml)) return 'holds characters that XML may not have';
  const open: string[] = [];
  let hasRoot = false;
  TOKEN.lastIndex = /^<\?xml\s[^?]*\?>/.exec(xml)?.[0].length ?? 0;
  while (TOKEN.lastIndex < xml.length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(xml)?.groups;
    if (token === undefined) return `is not well-formed at character ${String(at + 1)}`;
    const { start, empty, end, text, data } = token;
    const isOutside = open.length === 0;
    if (isOutside && (data !== undefined || /\S/.test(text ?? ''))) return NOT_ONE_RESPONSE;
    if (isOutside && start !== undefined && (hasRoot || start !== 'Response')) return NOT_ONE_RESPONSE;
    if (start !== undefined) hasRoot = true;
    if (start !== undefined && empty === '') open.push(start);
    if (end !== undefined && open.pop() !== end) return `closes <${end}> where it is not open`;
  }
  if (open.length > 0) return `does not close <${open.at(-1)!}>`;
  return hasRoot ? undefined : NOT_ONE_RESPONSE;
}
