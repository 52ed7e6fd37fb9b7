import type { Path } from './condition-path';
import { instantMs } from './instant';
import { SEARCHED_CHARACTERS, foundIn, patternProblem } from './text-pattern';

export type Scalar = string | number | boolean | null;

export type ValueTest = (value: unknown) => boolean;

/** How a clause judges what its path finds: it passes when any value does, negated when none does. */
export interface Operator {
  /** Where the path ends at an array, its elements are the values. */
  intoLists: boolean;
  isNegated: (operand: unknown) => boolean;
  /** What is wrong with the operand, behind this path; undefined when nothing is. */
  problem: (operand: unknown, path: Path) => string | undefined;
  /** @param operand without a problem. */
  test: (operand: never, path: Path) => ValueTest;
}

const MAX_TEXT = 1_024;
const MAX_LIST = 500;
const TIME = 'must be a date, or date and time, in ISO 8601, such as 2026-11-22T09:30:00Z';

const never = (): boolean => false;
const always = (): boolean => true;

/** Fields whose values are texts; a time among them is compared as one. */
const isTime = ({ field }: Path): boolean => field === 'timestamp';
const isText = ({ field }: Path): boolean => field !== 'message' && field !== 'context';

export const isScalar = (value: unknown): value is Scalar => value === null || ['string', 'number', 'boolean'].includes(typeof value);

function scalarProblem(operand: unknown, path: Path): string | undefined {
  if (!isScalar(operand)) return 'must be a text, a number, true, false or null';
  if (isTime(path)) return typeof operand === 'string' && !Number.isNaN(instantMs(operand)) ? undefined : TIME;
  if (isText(path) && typeof operand !== 'string' && !(operand === null && path.field === 'level'))
    return `must be a text: ${path.field} is one`;
  if (typeof operand === 'string' && operand.length > MAX_TEXT) return `must have at most ${String(MAX_TEXT)} characters`;
  // Beyond it other numbers are read as the same one, and a filter would match what it does not ask for.
  if (typeof operand === 'number' && Math.abs(operand) > Number.MAX_SAFE_INTEGER) return 'must be a number between -(2^53-1) and 2^53-1';
  return undefined;
}

function listProblem(operand: unknown, path: Path): string | undefined {
  if (!Array.isArray(operand) || operand.length === 0 || operand.length > MAX_LIST)
    return `must be an array of 1 to ${String(MAX_LIST)} values`;
  const problems = operand.flatMap((member, index) => {
    const message = scalarProblem(member, path);
    return message === undefined ? [] : [`[${String(index)}] ${message}`];
  });
  return problems[0];
}

function orderProblem(operand: unknown, path: Path): string | undefined {
  if (typeof operand !== 'string' && typeof operand !== 'number') return 'must be a text or a number';
  return scalarProblem(operand, path);
}

const textProblem = (operand: unknown): string | undefined =>
  typeof operand === 'string' && operand.length > 0 && operand.length <= MAX_TEXT
    ? undefined
    : `must be a text of 1 to ${String(MAX_TEXT)} characters`;

function equals(operand: Scalar, path: Path): ValueTest {
  if (!isTime(path)) return (value) => value === operand;
  const wanted = instantMs(operand as string);
  return (value) => instantMs(value as string) === wanted;
}

function among(operands: readonly Scalar[], path: Path): ValueTest {
  const wanted = new Set<unknown>(isTime(path) ? operands.map((operand) => instantMs(operand as string)) : operands);
  return isTime(path) ? (value) => wanted.has(instantMs(value as string)) : (value) => wanted.has(value);
}

/** Texts compare by their UTF-16 code units, numbers by size, one with the other not at all. */
function order(holds: (value: string | number, operand: string | number) => boolean) {
  return (operand: string | number, path: Path): ValueTest => {
    if (!isTime(path)) return (value) => typeof value === typeof operand && holds(value as string | number, operand);
    const bound = instantMs(operand as string);
    return (value) => holds(instantMs(value as string), bound);
  };
}

const ofValues = { intoLists: true, isNegated: never };
const negated = { intoLists: true, isNegated: always };
const onText = (holds: (text: string, operand: string) => boolean): Operator['test'] => {
  return (operand: string): ValueTest =>
    (value) =>
      typeof value === 'string' && holds(value, operand);
};

/** By their names. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['$eq', { ...ofValues, problem: scalarProblem, test: equals }],
  ['$ne', { ...negated, problem: scalarProblem, test: equals }],
  ['$gt', { ...ofValues, problem: orderProblem, test: order((value, operand) => value > operand) }],
  ['$gte', { ...ofValues, problem: orderProblem, test: order((value, operand) => value >= operand) }],
  ['$lt', { ...ofValues, problem: orderProblem, test: order((value, operand) => value < operand) }],
  ['$lte', { ...ofValues, problem: orderProblem, test: order((value, operand) => value <= operand) }],
  ['$in', { ...ofValues, problem: listProblem, test: among }],
  ['$nin', { ...negated, problem: listProblem, test: among }],
  [
    '$exists',
    {
      intoLists: false,
      isNegated: (operand) => operand === false,
      problem: (operand) => (typeof operand === 'boolean' ? undefined : 'must be true or false'),
      test: () => always,
    },
  ],
  ['$startsWith', { ...ofValues, problem: textProblem, test: onText((text, start) => text.startsWith(start)) }],
  ['$endsWith', { ...ofValues, problem: textProblem, test: onText((text, end) => text.endsWith(end)) }],
  ['$regex', { ...ofValues, problem: regexProblem, test: onText((text, pattern) => foundIn(pattern, text)) }],
]);

function regexProblem(operand: unknown): string | undefined {
  return typeof operand === 'string'
    ? patternProblem(operand)
    : `must be a pattern, which is looked for in the first ${String(SEARCHED_CHARACTERS)} characters`;
}
