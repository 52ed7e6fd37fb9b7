import { IsInt, IsObject, IsOptional } from 'class-validator';
import { GatewayError } from '../core/errors';
import { readJson, validateAs } from './validate';

class Thing {
  @IsInt()
  size!: number;

  @IsOptional()
  @IsObject()
  labels?: Record<string, string>;
}

function problemsOf(json: string): unknown {
  try {
    return validateAs(Thing, readJson(Buffer.from(json)));
  } catch (error) {
    if (error instanceof GatewayError) return error.problems;
    throw error;
  }
}

it('gives an instance of the class', () => {
  expect(problemsOf('{"size":1,"labels":{"a":"b"}}')).toEqual(Object.assign(new Thing(), { size: 1, labels: { a: 'b' } }));
});

it.each([
  ['{"size":"1"}', 'size', 'must be an integer number'],
  ['{"size":1,"sise":2}', 'sise', 'is not a known field'],
  ['{"size":1,"constructor":{"prototype":{"admin":true}}}', 'constructor', 'is not a known field'],
  ['{"size":1,"__proto__":{"admin":true}}', '__proto__', 'is not a known field'],
  ['{"size":1,"toString":"x"}', 'toString', 'is not a known field'],
  ['{"size":1,"labels":{"constructor":"x"}}', 'labels.constructor', 'is not a known field'],
  ['{"size":1,"labels":{"a":[{"__proto__":1}]}}', 'labels.a[0].__proto__', 'is not a known field'],
  ['[]', '', 'must be an object'],
])('refuses %s', (json, path, message) => {
  expect(problemsOf(json)).toEqual([{ path, message }]);
});

it.each([
  ['fields', `{${Array.from({ length: 200_000 }, (_, index) => `"a${String(index)}":1`).join()}}`],
  ['values of a field', `{"labels":{${Array.from({ length: 200_000 }, (_, index) => `"a${String(index)}":""`).join()}}}`],
  ['values of a list', `{"size":[${Array.from({ length: 500_000 }, () => '{}').join()}]}`],
])('refuses too many %s at once, which would take minutes to look at', (_title, json) => {
  const startMs = performance.now();
  expect(problemsOf(json)).toEqual([{ path: '', message: 'must not hold more than 5000 values' }]);
  expect(performance.now() - startMs).toBeLessThan(5_000);
});
