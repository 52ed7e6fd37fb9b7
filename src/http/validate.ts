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

/**
 * @returns The value as an instance of the class.
 * @throws GatewayError `validation_failed` naming every field that breaks a rule or that the class does not know.
 */
export function validateAs<T extends object>(type: ClassConstructor<T>, value: unknown): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new GatewayError('validation_failed', undefined, { problems: [{ path: '', message: 'must be an object' }] });
  }
  const instance = plainToInstance(type, value);
  const errors = validateSync(instance, { whitelist: true, forbidNonWhitelisted: true });
  if (errors.length > 0) throw new GatewayError('validation_failed', undefined, { problems: problemsOf(errors, '') });
  return instance;
}

function problemsOf(errors: ValidationError[], prefix: string): FieldProblem[] {
  return errors.flatMap(({ property, constraints = {}, children = [] }) => {
    const name = /^\d+$/.test(property) ? `[${property}]` : `${prefix === '' ? '' : '.'}${property}`;
    const path = `${prefix}${name}`;
    const own = Object.entries(constraints).map(([rule, message]) => ({
      path,
      message: rule === 'whitelistValidation' ? 'is not a known field' : message.replace(`${property} `, ''),
    }));
    return [...own, ...problemsOf(children, path)];
  });
}
