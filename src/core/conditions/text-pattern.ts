import { RE2JS } from 're2js';

const MAX_LENGTH = 200;
/** Instructions of the compiled pattern; with the characters below it bounds what one clause can cost. */
const MAX_PROGRAM = 128;
/** Characters at the beginning of a text that are looked at. */
export const SEARCHED_CHARACTERS = 2_048;

/** Compiled ones of late, by their text: equal patterns of many filters are one. */
const compiled = new Map<string, RE2JS>();
const MAX_COMPILED = 5_000;
/** States that a pattern may keep from one text to the next; the library alone would let each have 8 MiB of them. */
const MAX_STATES = 128;

/** @returns What is wrong with it, if anything. */
export function patternProblem(pattern: string): string | undefined {
  if (pattern.length === 0 || pattern.length > MAX_LENGTH) return `must have 1 to ${String(MAX_LENGTH)} characters`;
  try {
    return compile(pattern).programSize() > MAX_PROGRAM ? 'is too large; repetitions such as {100} count as often as they say' : undefined;
  } catch (error) {
    return `is no pattern of RE2: ${(error as Error).message.replace('error parsing regexp: ', '')}`;
  }
}

/** Whether the pattern is found in the beginning of the text, in time linear in both. @param pattern without a problem. */
export function foundIn(pattern: string, text: string): boolean {
  const made = compile(pattern);
  const isFound = made.test(text.length > SEARCHED_CHARACTERS ? text.slice(0, SEARCHED_CHARACTERS) : text);
  const { lazyDFA } = made.re2();
  if (lazyDFA !== null && lazyDFA.stateCount > MAX_STATES) lazyDFA.clearCache();
  return isFound;
}

function compile(pattern: string): RE2JS {
  let made = compiled.get(pattern);
  if (made === undefined) {
    made = RE2JS.compile(pattern);
    if (compiled.size >= MAX_COMPILED) compiled.clear();
    compiled.set(pattern, made);
  }
  return made;
}
