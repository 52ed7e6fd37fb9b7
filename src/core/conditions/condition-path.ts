/** What of an event a condition may ask for. Undefined where there is nothing that can be read; null is a value. */
export interface Subject {
  readonly application: string;
  readonly eventType: string;
  readonly level: string | null;
  /** ISO 8601, as its sender wrote it. */
  readonly timestamp: string;
  readonly accountId: string;
  /** As JSON.parse gives it. */
  readonly message: unknown;
  readonly context: unknown;
}

export const FIELDS = [
  'application',
  'eventType',
  'level',
  'timestamp',
  'accountId',
  'message',
  'context',
] as const satisfies (keyof Subject)[];

/** Every element of an array. */
const EVERY = Symbol('every');
type Step = string | number | typeof EVERY;

/** Where a value stands in an event. */
export interface Path {
  /** As it was written. */
  text: string;
  field: keyof Subject;
  steps: readonly Step[];
}

/** Elements of arrays that one path looks at in one event, the first ones: so that no event costs more than this. */
export const MAX_ELEMENTS = 1_000;

const MAX_LENGTH = 512;
const MAX_STEPS = 16;
const FIELD = /^[^.[\]"]*/;
/** `.name`, `[*]`, `[0]` or `["any name"]`. */
const STEP = /\.([^.[\]"]+)|\[(?:(\*)|(\d{1,6})|("(?:[^"\\]|\\.)*"))\]/y;

/** @returns The path, or what is wrong with it. */
export function parsePath(text: string): Path | string {
  if (text.length > MAX_LENGTH) return `must have at most ${String(MAX_LENGTH)} characters`;
  const field = FIELD.exec(text)?.[0] ?? '';
  if (!isField(field)) return `is no path: one begins with ${FIELDS.join(', ')}`;
  const steps: Step[] = [];
  for (let at = field.length; at < text.length; at = STEP.lastIndex) {
    STEP.lastIndex = at;
    const step = stepOf(STEP.exec(text));
    if (step === undefined) return `cannot be read from character ${String(at + 1)} on: there may stand .name, [0], [*] or ["any name"]`;
    steps.push(step);
  }
  if (steps.length > MAX_STEPS) return `must have at most ${String(MAX_STEPS)} steps`;
  if (steps.length > 0 && field !== 'message' && field !== 'context') return `has nothing inside: ${field} is a text`;
  return { text, field, steps };
}

/**
 * Whether any value that the path finds passes. Only own members of objects and elements of arrays are found; a name finds nothing in an
 * array. @param intoLists Where the path ends at an array, its elements are the values, and not the array.
 */
export function someValue({ field, steps }: Path, subject: Subject, intoLists: boolean, passes: (value: unknown) => boolean): boolean {
  const root = subject[field];
  return root !== undefined && walk(root, steps, 0, { left: MAX_ELEMENTS }, intoLists, passes);
}

function walk(
  root: unknown,
  steps: readonly Step[],
  from: number,
  elements: { left: number },
  intoLists: boolean,
  passes: (value: unknown) => boolean,
): boolean {
  let value = root;
  for (let at = from; at < steps.length; at++) {
    const step = steps[at]!;
    if (step === EVERY) return someElement(value, elements, (element) => walk(element, steps, at + 1, elements, intoLists, passes));
    value = memberOf(value, step);
    if (value === undefined) return false;
  }
  return intoLists && Array.isArray(value) ? someElement(value, elements, passes) : passes(value);
}

function someElement(value: unknown, elements: { left: number }, passes: (value: unknown) => boolean): boolean {
  if (!Array.isArray(value)) return false;
  for (const element of value) {
    if (elements.left === 0) return false;
    elements.left -= 1;
    if (passes(element)) return true;
  }
  return false;
}

/** Never what every object has by its prototype. */
function memberOf(value: unknown, step: string | number): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  if (typeof step === 'number') return Array.isArray(value) ? (value as unknown[])[step] : undefined;
  return !Array.isArray(value) && Object.hasOwn(value, step) ? (value as Record<string, unknown>)[step] : undefined;
}

const isField = (text: string): text is keyof Subject => (FIELDS as readonly string[]).includes(text);

function stepOf(found: RegExpExecArray | null): Step | undefined {
  if (!found) return undefined;
  const [, name, every, index, quoted] = found;
  if (every !== undefined) return EVERY;
  if (index !== undefined) return Number(index);
  if (quoted === undefined) return name;
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}
