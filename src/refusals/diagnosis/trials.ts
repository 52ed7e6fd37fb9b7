import type { HmacScheme } from '../../presets/signing/scheme';
import type { ReceivedRequest } from '../../http/received-request';
import { bodyForms } from './body-forms';
import { otherSecretTrials, secretTrials } from './secret-trials';
import { signatureTrials } from './signature-trials';
import type { Patient, Trial } from './trial';
import { urlTrials } from './url-trials';

/** Likeliest and cheapest first. */
export function* trialsOf(patient: Patient): Generator<Trial> {
  const { request, check } = patient;
  const scheme = check.preset.scheme?.(check.settings, check.context);
  yield* secretTrials(patient, scheme);
  if (scheme !== undefined) {
    yield* signatureTrials(patient, scheme);
    if (isSigned(scheme, request, 'target')) yield* urlTrials(patient);
    if (isSigned(scheme, request, 'body')) yield* bodyTrials(patient);
  }
  yield* otherSecretTrials(patient);
}

function* bodyTrials({ request, check }: Patient): Generator<Trial> {
  const { preset, settings, context } = check;
  for (const { change, body } of bodyForms(request.body)) {
    const explanation = `The body was ${change}: a proxy or gateway on the way has changed what the sender signed`;
    const fix = 'Let what stands between the sender and here pass bodies on byte for byte';
    yield {
      finding: { cause: 'body_reserialised', explanation, fix, repair: { body } },
      request: { ...request, body },
      verifier: () => preset.verifier(settings, context),
    };
  }
}

/** Whether that part of the request is looked at to make what is signed. */
function isSigned(scheme: HmacScheme, request: ReceivedRequest, part: 'target' | 'body'): boolean {
  let isRead = false;
  const watched = Object.defineProperty({ ...request }, part, {
    get() {
      isRead = true;
      return request[part];
    },
  });
  try {
    for (const _ of scheme.contents(watched, '0')) break;
  } catch {
    // It was looked at, or is not needed, before something else is missing.
  }
  return isRead;
}
