import type { Patient, Trial } from './trial';
import { fieldOf } from './setting';
import { publicUrls, slashForm, targetForms } from './url-forms';

const PUBLIC_URL = 'hookServer.publicUrl';
/** Of presets whose source says itself how it is called. */
const URL_FIELD = 'url';

/** The request as it was before a proxy changed its URL; then the settings as they must be where that URL is called. */
export function* urlTrials(patient: Patient): Generator<Trial> {
  const { request, check } = patient;
  const own = check.settings[URL_FIELD];
  if (typeof own === 'string') yield ownSlashTrial(patient, own);
  const targets = targetForms(request);
  for (const { cause, change, target } of targets) {
    const explanation = `The path of the URL that the sender signed was ${change} on its way`;
    const fix = 'Let the proxy pass the path on as it is, or give the platform the URL as it arrives here';
    yield {
      finding: { cause, explanation, fix, repair: { target } },
      request: { ...request, target },
      verifier: () => check.preset.verifier(check.settings, check.context),
    };
  }
  yield* publicUrlTrials(patient, typeof own === 'string' ? own : undefined, [request.target, ...targets.map(({ target }) => target)]);
}

function ownSlashTrial({ request, check: { preset, settings, context } }: Patient, own: string): Trial {
  const url = slashForm(own);
  const explanation = `The URL that the sender signed ends ${url.length > own.length ? 'with' : 'without'} a slash`;
  const setting = `verification.${URL_FIELD}`;
  return {
    finding: {
      cause: 'trailing_slash',
      explanation,
      fix: `Set ${setting} to ${url}, or enter the URL at the platform as it is set there`,
      setting,
    },
    request,
    verifier: () => preset.verifier({ ...settings, [URL_FIELD]: url }, context),
  };
}

function* publicUrlTrials({ request, check }: Patient, own: string | undefined, targets: readonly string[]): Generator<Trial> {
  const { preset, context } = check;
  const { [URL_FIELD]: _, ...settings } = check.settings;
  const setting = own === undefined ? PUBLIC_URL : `verification.${URL_FIELD}`;
  const now = own === undefined ? context.publicUrl : new URL(own).origin;
  const ofSource = fieldOf(check, URL_FIELD);
  for (const publicUrl of publicUrls([now, context.publicUrl], request)) {
    if (own === undefined && publicUrl === now?.replace(/\/+$/, '')) continue;
    const explanation = `The sender signed a URL that begins with ${publicUrl}, and ${setting} ${now === null ? 'is not set' : `begins with ${now}`}`;
    const fix =
      own === undefined
        ? `Set ${setting} to ${publicUrl}, ${ofSource === undefined ? '' : `or ${ofSource} to the URL as it is entered at the platform, `}or give the platform the URL that begins as ${setting} says`
        : `Set ${ofSource ?? setting} to the URL as it is entered at the platform, which begins with ${publicUrl}`;
    for (const target of targets) {
      yield {
        finding: { cause: 'public_url', explanation, fix, setting },
        request: { ...request, target },
        verifier: () => preset.verifier(settings, { ...context, publicUrl }),
      };
    }
  }
}
