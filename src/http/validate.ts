import { isUtf8 } from 'node:buffer';
import { type ClassConstructor, plainToInstance } from 'class-transformer';
import { type ValidationError, validateSync } from 'class-validator';
import { type FieldProblem, GatewayError } from '../core/errors';
import { assertJsonDepth } from '../core/json-slice';

/**
 * @returns The value of JSON text in UTF-8.
 * @throws GatewayError `malformed_json`, or `json_too_deep` before anything recursive sees it.
 */
export function readJson(bytes: Buffer): unknown {
  assertJsonDepth(bytes);
  if (!isUtf8(bytes)) throw new GatewayError('malformed_json', 'The body is not valid UTF-8');
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch (error) {
    throw new GatewayError('malformed_json', bytes.length === 0 ? 'The body is empty' : undefined, { cause: error });
  }
}

/** Values in a whole body; no class needs nearly as many, and class-transformer takes the square of an object's fields in time. */
const MAX_VALUES = 5_000;

/**
 * @returns The value as an instance of the class.
 * @throws GatewayError `validation_failed` naming the fields that break a rule or that the class does not know.
 */
export function validateAs<T extends object>(type: ClassConstructor<T>, value: unknown): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid('', 'must be an object');
  }
  assertPlain(value);
  const instance = plainToInstance(type, value);
  const errors = validateSync(instance, { whitelist: true, forbidNonWhitelisted: true });
  if (errors.length > 0) throw new GatewayError('validation_failed', undefined, { problems: problemsOf(errors, '') });
  return instance;
}

/**
 * Of names that every object has, such as `constructor`, class-transformer skips some and stumbles over others.
 * @throws GatewayError `validation_failed`.
 */
function assertPlain(root: object): void {
  const open: [path: string, value: object][] = [['', root]];
  let values = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [prefix, value] = next;
    const names = Object.keys(value);
    values += names.length;
    if (values > MAX_VALUES) throw invalid('', `must not hold more than ${String(MAX_VALUES)} values`);
    for (const name of names) {
      const path = pathOf(prefix, name);
      if (!Array.isArray(value) && name in Object.prototype) throw invalid(path, 'is not a known field');
      const member = (value as Record<string, unknown>)[name];
      if (typeof member === 'object' && member !== null) open.push([path, member]);
    }
  }
}

const invalid = (path: string, message: string): GatewayError =>
  new GatewayError('validation_failed', undefined, { problems: [{ path, message }] });

const pathOf = (prefix: string, name: string): string =>
  `${prefix}${/^\d+$/.test(name) ? `[${name}]` : `${prefix === '' ? '' : '.'}${name}`}`;

function problemsOf(errors: ValidationError[], prefix: string): FieldProblem[] {
  return errors.flatMap(({ property, constraints = {}, children = [] }) => {
    const path = pathOf(prefix, property);
    const own = Object.entries(constraints).map(([rule, message]) => ({
      path,
      message: rule === 'whitelistValidation' ? 'is not a known field' : message.replace(`${property} `, ''),
    }));
    return [...own, ...problemsOf(children, path)];
  });
}
