import { type HashAlgorithm, ScureBase32Plugin, createGuardrails, generateSync, verifySync } from 'otplib';

/** How codes are made of a secret (RFC 6238). */
export interface CodeForm {
  algorithm: HashAlgorithm;
  digits: 6 | 7 | 8;
  /** Steps before and after the present one whose codes count as well. */
  tolerance: number;
}

const STEP_SECONDS = 30;

const FORM: CodeForm = { algorithm: 'sha1', digits: 6, tolerance: 1 };

/** RFC 4226 wants 16 bytes; authenticators have handed out secrets of 10 for years, and the other side may have such a one. */
const GUARDRAILS = createGuardrails({ MIN_SECRET_BYTES: 10 });

const base32 = new ScureBase32Plugin();

/** The bytes of a secret in base32, with or without padding, in either case, maybe in groups; undefined when it is none. */
export function readSecret(text: string): Uint8Array | undefined {
  try {
    const bytes = base32.decode(text.replace(/[\s-]+/g, '').replace(/=+$/, ''));
    return bytes.length >= GUARDRAILS.MIN_SECRET_BYTES && bytes.length <= GUARDRAILS.MAX_SECRET_BYTES ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** The number of the step of 30 s that a moment lies in. */
export const stepAt = (nowMs: number): number => Math.floor(nowMs / 1_000 / STEP_SECONDS);

/** The code of the present step. */
export const codeAt = (secret: Uint8Array, nowMs: number, { algorithm, digits }: CodeForm = FORM): string =>
  generateSync({ secret, epoch: Math.floor(nowMs / 1_000), algorithm, digits, guardrails: GUARDRAILS });

/** The step that the code belongs to, by any of the secrets; undefined when it is the code of none that counts now. Compares in constant time. */
export function stepOfCode(
  code: string,
  secrets: readonly Uint8Array[],
  nowMs: number,
  { algorithm, digits, tolerance }: CodeForm = FORM,
): number | undefined {
  if (code.length !== digits || !/^\d+$/.test(code)) return undefined;
  const epoch = Math.floor(nowMs / 1_000);
  const epochTolerance = tolerance * STEP_SECONDS;
  for (const secret of secrets) {
    const result = verifySync({ secret, token: code, epoch, epochTolerance, algorithm, digits, guardrails: GUARDRAILS });
    if (result.valid) return stepAt(nowMs) + result.delta;
  }
  return undefined;
}
