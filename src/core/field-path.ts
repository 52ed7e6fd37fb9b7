import type { JsonSlice } from './json-slice';

/** A key of an object, or an index of an array. */
type Step = string | number;

const STEP = /(?:^|\.)([^.[\]]+)|\[(\d{1,9})\]/y;

/** Reads a path such as `commits[0].timestamp`; undefined for what is none. */
export function readPath(text: string): Step[] | undefined {
  const steps: Step[] = [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < text.length) {
    const match = STEP.exec(text);
    if (match === null) return undefined;
    steps.push(match[1] ?? Number(match[2]));
  }
  return steps.length === 0 ? undefined : steps;
}

/** The value at the path; undefined where there is none. */
export function valueAt(root: JsonSlice, steps: readonly Step[]): JsonSlice | undefined {
  let value: JsonSlice | undefined = root;
  for (const step of steps) {
    value = typeof step === 'number' ? value.elements()[step] : value.member(step);
    if (value === undefined) return undefined;
  }
  return value;
}
