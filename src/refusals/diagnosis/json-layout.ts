/** Of valid JSON: brackets, commas, colons, and each text, number and word with its own characters; no white space. */
export function jsonTokens(json: string): string[] {
  const tokens: string[] = [];
  for (let at = 0; at < json.length;) {
    const character = json[at]!;
    if (isSpace(character)) {
      at++;
      continue;
    }
    const end = character === '"' ? endOfText(json, at) : isMark(character) ? at + 1 : endOfWord(json, at);
    tokens.push(json.slice(at, end));
    at = end;
  }
  return tokens;
}

/** As JSON.stringify indents. */
export function indentedJson(tokens: readonly string[], indent: string): string {
  const pieces: string[] = [];
  let depth = 0;
  const breakLine = (): void => void pieces.push('\n', indent.repeat(depth));
  for (const [index, token] of tokens.entries()) {
    if (isClosing(token) && !isOpening(tokens[index - 1])) {
      depth--;
      breakLine();
    }
    pieces.push(token);
    if (token === ':') pieces.push(' ');
    else if (token === ',') breakLine();
    else if (isOpening(token) && !isClosing(tokens[index + 1])) {
      depth++;
      breakLine();
    }
  }
  return pieces.join('');
}

export const spacedJson = (tokens: readonly string[]): string =>
  tokens.map((token) => (token === ',' || token === ':' ? `${token} ` : token)).join('');

/** Of all lines of the indented JSON together, at most. */
export function indentLevels(tokens: readonly string[]): number {
  let [depth, levels] = [0, 0];
  for (const token of tokens) {
    if (isOpening(token)) depth++;
    else if (isClosing(token)) depth--;
    else if (token !== ',') continue;
    levels += depth;
  }
  return levels;
}

const isOpening = (token: string | undefined): boolean => token === '{' || token === '[';
const isClosing = (token: string | undefined): boolean => token === '}' || token === ']';
const isMark = (character: string): boolean => '{}[],:'.includes(character);
const isSpace = (character: string): boolean => ' \n\r\t'.includes(character);

function endOfText(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at + 1;
}

function endOfWord(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && !isMark(json[at]!) && !isSpace(json[at]!)) at++;
  return at;
}
