import type { Scalar } from './operators';

const MAX_CHARACTERS = 200;

/** The text, cut where it is long. */
export const boundedText = (text: string): string => (text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text);

/** A value as an explanation shows it: of arrays and objects only how large they are. */
export function foundValue(value: unknown): Scalar {
  if (typeof value === 'string') return boundedText(value);
  if (typeof value !== 'object' || value === null) return value as Scalar;
  return Array.isArray(value) ? `(array of ${String(value.length)})` : `(object of ${String(Object.keys(value).length)})`;
}
