/**
 * A second, plain reading of docs/filters.md, against which the matcher is held. It shares no code with it and takes its time: every
 * filter is asked about every event, from its JSON.
 */
export interface PlainFilter {
  applications: string[];
  eventTypes: string[];
  levels: string[];
  where: object | null;
}

export interface PlainEvent {
  application: string;
  eventType: string;
  level: string | null;
  timestamp: string;
  accountId: string;
  message: unknown;
  context: unknown;
}

type Json = Record<string, unknown>;

export function referenceMatches(filter: PlainFilter, event: PlainEvent): boolean {
  const { applications, eventTypes, levels, where } = filter;
  if (applications.length > 0 && !applications.includes(event.application)) return false;
  if (eventTypes.length > 0 && !eventTypes.includes(event.eventType)) return false;
  if (levels.length > 0 && (event.level === null || !levels.includes(event.level))) return false;
  return where === null || allHold(where as Json, event);
}

const allHold = (where: Json, event: PlainEvent): boolean =>
  Object.keys(where).every((key) => {
    const value = where[key];
    if (key === '$and') return (value as Json[]).every((member) => allHold(member, event));
    if (key === '$or') return (value as Json[]).some((member) => allHold(member, event));
    if (key === '$not') return !allHold(value as Json, event);
    return pathHolds(key, value, event);
  });

function pathHolds(path: string, wanted: unknown, event: PlainEvent): boolean {
  const operators = typeof wanted === 'object' && wanted !== null ? (wanted as Json) : { $eq: wanted };
  return Object.keys(operators).every((name) => {
    const operand = operators[name];
    if (name === '$not') return !pathHolds(path, operand, event);
    if (name === '$ne') return !pathHolds(path, { $eq: operand }, event);
    if (name === '$nin') return !pathHolds(path, { $in: operand }, event);
    const found = valuesAt(path, event);
    if (name === '$exists') return found.length > 0 === operand;
    const values = found.flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : [value]));
    return values.some((value) => valueHolds(name, value, operand, path === 'timestamp'));
  });
}

function valueHolds(name: string, value: unknown, operand: unknown, isTime: boolean): boolean {
  if (name === '$in') return (operand as unknown[]).some((member) => valueHolds('$eq', value, member, isTime));
  if (['$startsWith', '$endsWith', '$regex'].includes(name)) {
    if (typeof value !== 'string') return false;
    if (name === '$regex') return new RegExp(operand as string, 'u').test(value);
    return name === '$startsWith' ? value.indexOf(operand as string) === 0 : value.slice(-(operand as string).length) === operand;
  }
  const [a, b] = isTime ? [Date.parse(value as string), Date.parse(operand as string)] : [value, operand];
  if (typeof a !== typeof b) return false;
  if (name === '$eq') return a === b;
  if (typeof a !== 'string' && typeof a !== 'number') return false;
  const sign = a < (b as typeof a) ? -1 : a > (b as typeof a) ? 1 : a === b ? 0 : NaN;
  return { $lt: sign === -1, $lte: sign <= 0, $gt: sign === 1, $gte: sign >= 0 }[name] as boolean;
}

const known = new Map<string, string[]>();

function stepsOf(path: string): string[] {
  const steps = known.get(path) ?? (path.match(/\["[^"]*"\]|\[[^\]]*\]|[^.[]+/g) as string[]);
  known.set(path, steps);
  return steps;
}

/** One step after the other, from all values that the steps before have found. */
function valuesAt(path: string, event: PlainEvent): unknown[] {
  const [field, ...steps] = stepsOf(path);
  let values = [(event as unknown as Json)[field as string]];
  for (const step of steps) {
    values = values.flatMap((value): unknown[] => {
      if (step === '[*]') return Array.isArray(value) ? (value as unknown[]) : [];
      const isElement = /^\[\d+\]$/.test(step);
      if (typeof value !== 'object' || value === null || Array.isArray(value) !== isElement) return [];
      const name = step.startsWith('[') ? step.replace(/^\["?|"?\]$/g, '') : step;
      return Object.keys(value).includes(name) ? [(value as Json)[name]] : [];
    });
  }
  return values.filter((value) => value !== undefined);
}
