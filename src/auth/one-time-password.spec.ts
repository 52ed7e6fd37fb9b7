import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CodeForm, codeAt, readSecret, stepAt, stepOfCode } from './one-time-password';

interface Vector {
  id: string;
  secretBase32: string;
  algorithm: 'SHA1' | 'SHA256' | 'SHA512';
  digits: 6 | 8;
  window: number;
  /** Seconds. */
  now: number;
  code: string;
  valid: boolean;
  note: string;
}

const file = join(__dirname, '../../test/fixtures/automate/vectors.json');
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Vector[] };

const bytesOf = (text: string): Uint8Array => {
  const bytes = readSecret(text);
  if (bytes === undefined) throw new Error(`${text} is no secret`);
  return bytes;
};
const formOf = ({ algorithm, digits, window: tolerance }: Vector): CodeForm => ({
  algorithm: algorithm.toLowerCase() as CodeForm['algorithm'],
  digits,
  tolerance,
});

const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const secret = bytesOf(SECRET);

describe('stepOfCode', () => {
  it('has fourteen vectors', () => expect(cases).toHaveLength(14));

  it.each(cases)('$id ($note): valid is $valid', (vector) => {
    const step = stepOfCode(vector.code, [bytesOf(vector.secretBase32)], vector.now * 1_000, formOf(vector));
    expect(step !== undefined).toBe(vector.valid);
  });

  it.each(cases.filter(({ digits, algorithm, valid }) => digits === 6 && algorithm === 'SHA1' && valid))(
    '$id passes with the form that doors use',
    ({ code, secretBase32, now }) => expect(stepOfCode(code, [bytesOf(secretBase32)], now * 1_000)).toBeDefined(),
  );

  it.each([
    { now: 29_999, step: 1 },
    { now: 30_000, step: 1 },
    { now: 89_999, step: 1 },
    { now: 90_000, step: undefined },
  ])('the code of step 1 is known at $now ms: $step', ({ now, step }) => {
    expect(stepOfCode('287082', [secret], now)).toBe(step);
  });

  it('asks every secret', () => {
    const other = bytesOf('JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP');
    expect(stepOfCode('287082', [other, secret], 59_000)).toBe(1);
    expect(stepOfCode('287082', [other], 59_000)).toBeUndefined();
    expect(stepOfCode('287082', [], 59_000)).toBeUndefined();
  });

  it.each(['', '28708', '2870820', ' 87082', '28708x', '２８７０８２', '-87082', '287 82', '0x1234'])('%j is no code', (code) => {
    expect(stepOfCode(code, [secret], 59_000)).toBeUndefined();
  });
});

describe('codeAt', () => {
  it('makes what stepOfCode knows, with its leading zero', () => {
    expect(codeAt(secret, 1_111_111_109_000)).toBe('081804');
    expect(stepOfCode(codeAt(secret, 1_111_111_109_000), [secret], 1_111_111_109_000)).toBe(stepAt(1_111_111_109_000));
  });
});

describe('readSecret', () => {
  it.each([SECRET, SECRET.toLowerCase(), `${SECRET.slice(0, 4)} ${SECRET.slice(4)}`, `${SECRET}====`])('reads %s', (text) => {
    expect(readSecret(text)).toEqual(Buffer.from('12345678901234567890'));
  });

  it('reads one of ten bytes', () => expect(readSecret('JBSWY3DPEHPK3PXP')).toHaveLength(10));

  it.each(['', 'PUT_SECRET_HERE', '12345678901234567890', 'JBSWY3DP', SECRET.repeat(4)])('%j is none', (text) => {
    expect(readSecret(text)).toBeUndefined();
  });
});
