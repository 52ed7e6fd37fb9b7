import type { PresetContext, PresetSettings, SignedRequest, Verifier } from '../../src/presets/preset';
import { readVerification } from '../../src/presets/verification';
import { GatewayError } from '../../src/core/errors';

/** A POST of an empty body to /in/token from 192.0.2.1, changed. */
export const signedRequest = (changed: Partial<Omit<SignedRequest, 'body'>> & { body?: Buffer | string } = {}): SignedRequest => ({
  method: 'POST',
  target: '/in/token',
  headers: {},
  address: '192.0.2.1',
  viaProxy: false,
  ...changed,
  body: Buffer.from(changed.body ?? ''),
});

/** The settings of a source's `verification`, as REST takes it. @throws Error that names its problems. */
export function settingsOf(verification: object): PresetSettings {
  const read = readVerification(verification);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return read.settings;
}

export function verifierOf(verification: object, context: PresetContext = { publicUrl: 'https://gw.example.com' }): Verifier {
  const read = readVerification(verification);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return read.preset.verifier(read.settings, context);
}

/** Paths of what is wrong with a `verification`; empty for nothing. */
export const problemPathsOf = (verification: object): string[] => {
  const read = readVerification(verification);
  return 'problems' in read ? read.problems.map(({ path }) => path) : [];
};

/** The code of the GatewayError that it throws, `accepted` where it throws none. */
export function codeOf(work: () => unknown): string {
  try {
    work();
    return 'accepted';
  } catch (error) {
    if (error instanceof GatewayError) return error.code;
    throw error;
  }
}

/** A text with one of its bytes changed. */
export const altered = (text: string, at = text.length - 2): string =>
  text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
