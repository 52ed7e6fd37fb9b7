import { setImmediate } from 'node:timers/promises';
import { GatewayError } from '../../core/errors';
import type { ReceivedRequest } from '../../http/received-request';
import { timeMsOf } from '../../presets/signing/timestamp';
import type { Verifier } from '../../presets/preset';
import { absence } from './absence';
import { secretsOf } from './setting';
import type { Finding, Patient } from './trial';
import { trialsOf } from './trials';

const MAX_TRIALS = 2_000;
/** Bytes that are hashed in all, and before others get their turn. */
const MAX_BYTES = 512 * 1_048_576;
const BYTES_PER_TURN = 4 * 1_048_576;
export interface Diagnosis {
  findings: Finding[];
  /** Verifications that were made. */
  tried: number;
}

/** Finds out by trial what keeps a request from passing its source's check. */
export async function diagnose(patient: Patient): Promise<Diagnosis> {
  const { request, check } = patient;
  const today = (): Verifier => check.preset.verifier(check.settings, check.context);
  const plain = verdictOf(today, request, request.receivedAt);
  if (plain === 'passes') return { findings: [MENDED], tried: 1 };
  const signedAt = signedAtOf(patient);
  if (signedAt !== undefined && verdictOf(today, request, signedAt) === 'passes') {
    return { findings: [clockSkew(signedAt, request.receivedAt)], tried: 2 };
  }
  const absent = absence(patient);
  if (absent !== undefined) return { findings: [absent], tried: 1 };
  return tryAll(patient, signedAt ?? request.receivedAt);
}

/** A signature proves one cause: what else fits says the same in other words. */
async function tryAll(patient: Patient, nowMs: number): Promise<Diagnosis> {
  const { receivedAt } = patient.request;
  let [tried, bytes, turn] = [1, 0, 0];
  for (const { finding, request, verifier } of trialsOf(patient)) {
    if (tried >= MAX_TRIALS || bytes >= MAX_BYTES) break;
    tried++;
    const cost = 4_096 + request.body.length * Math.max(1, patient.check.settings.secrets.length);
    bytes += cost;
    if ((turn += cost) > BYTES_PER_TURN) {
      turn = 0;
      await setImmediate();
    }
    if (verdictOf(verifier, request, nowMs) !== 'passes') continue;
    // What was signed long ago is taken in as of then as well.
    const repair = finding.repair && { ...finding.repair, ...(nowMs !== receivedAt && { receivedAt: nowMs }) };
    const proven: Finding = { ...finding, certain: true, ...(repair && { repair }) };
    return { findings: [repair === undefined ? proven : withAccept(proven)], tried };
  }
  const unknown = secretUnknown(patient);
  return { findings: unknown === undefined ? [] : [unknown], tried };
}

function verdictOf(verifier: () => Verifier, request: ReceivedRequest, nowMs: number): string {
  try {
    verifier().assertValid(request, nowMs);
    return 'passes';
  } catch (error) {
    // What a preset cannot even look at does not fit either.
    return error instanceof GatewayError ? error.code : 'fails';
  }
}

/** When the request says that it was signed. */
function signedAtOf({ request, check }: Patient): number | undefined {
  const text = check.preset.scheme?.(check.settings, check.context)?.timestamp?.of(request);
  return text !== undefined && /^\d{1,14}$/.test(text) ? timeMsOf(text) : undefined;
}

const MENDED: Finding = {
  cause: 'mended',
  certain: true,
  explanation: 'With today’s settings the request passes',
  fix: 'Accept it: POST /api/v1/requests/:id/accept',
  repair: {},
};

function clockSkew(signedAt: number, receivedAt: number): Finding {
  // As the refusal counts them.
  const seconds = Math.floor(receivedAt / 1_000) - Math.floor(signedAt / 1_000);
  return withAccept({
    cause: 'clock_skew',
    certain: true,
    explanation: `The signature holds, but its time is ${String(Math.abs(seconds))} s ${seconds > 0 ? 'before' : 'after'} the request came in`,
    fix: 'Set the clocks of both sides by NTP; a request that was held up or repeated on its way looks the same',
    repair: { receivedAt: signedAt },
  });
}

/** What is taken in as it was signed, and not as it came, must be asked for by the cause's name. */
const withAccept = (finding: Finding): Finding => ({
  ...finding,
  fix: `${finding.fix}. This request is accepted with {"cause": "${finding.cause}"}`,
});

/** No trial fits; undefined where no secret is looked at, so that the refusal's detail says all. */
function secretUnknown({ check }: Patient): Finding | undefined {
  if (check.settings.secrets.length === 0) return undefined;
  const isSigned = check.preset.scheme?.(check.settings, check.context) !== undefined;
  const setting = secretsOf(check);
  return {
    cause: 'secret_unknown',
    certain: false,
    explanation: isSigned
      ? 'None of the known mistakes fits: most likely the sender signs with a secret that is not set here, or the body was changed on its way'
      : 'None of the known mistakes fits: most likely the sender’s credentials are not those that are set here',
    fix: `Compare the secret at the sender with ${setting}: set the sender’s there, or give the sender that one`,
    setting: check.secretSetting,
  };
}
