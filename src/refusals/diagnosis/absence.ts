import type { ReceivedRequest } from '../../http/received-request';
import type { Preset } from '../../presets/preset';
import { PRESETS } from '../../presets/presets';
import { isSource, secretsOf } from './setting';
import type { Finding, Patient } from './trial';

/** The signature is not there at all: whose is, then? */
export function absence({ request, check }: Patient): Finding | undefined {
  const scheme = check.preset.scheme?.(check.settings, check.context);
  if (scheme === undefined || isThere(scheme.headers, request)) return undefined;
  const senders = sendersOf(request, check.preset);
  const header = senders.flatMap(headersOf).find((name) => isThere([name], request));
  if (header !== undefined) {
    const types = senders.map(({ type }) => `\`${type}\``).join(' or ');
    const choice = senders.length === 1 ? types : `the one that sends it (${types})`;
    return {
      cause: 'wrong_preset',
      certain: false,
      explanation: `There is no ${scheme.headers[0]}, but ${header} as from ${senders.map(({ title }) => title).join(' or ')}`,
      fix: isSource(check)
        ? `Set verification.type of ${check.title} to ${choice}, with its secret, or give this platform the URL of its own source`
        : `Give this platform the URL of its own channel, or of a source whose verification.type is ${choice}`,
      ...(isSource(check) && { setting: 'verification.type' }),
    };
  }
  return {
    cause: 'signature_absent',
    certain: true,
    explanation: `There is no ${scheme.headers[0]}: the sender does not sign, or a proxy drops the header`,
    fix: `Switch signing on at ${check.preset.title} with the secret that is set as ${secretsOf(check)} (${check.preset.documentation})`,
    setting: check.secretSetting,
  };
}

/** Presets whose signature header is there; where some of them find headers that they read as well, those alone. */
function sendersOf(request: ReceivedRequest, own: Preset): Preset[] {
  const fitting = PRESETS.filter((preset) => preset.type !== own.type && preset.type !== 'hmac' && isThere(headersOf(preset), request));
  const known = fitting.filter(({ reading }) => isThere(reading.headers, request));
  return known.length > 0 ? known : fitting;
}

function headersOf(preset: Preset): readonly string[] {
  try {
    return preset.scheme?.({ secrets: [] }, { publicUrl: 'http://localhost' })?.headers ?? [];
  } catch {
    return [];
  }
}

const isThere = (names: readonly string[], { headers }: ReceivedRequest): boolean =>
  names.some((name) => headers[name.toLowerCase()] !== undefined);
