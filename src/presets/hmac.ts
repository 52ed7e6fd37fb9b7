import { TOLERANCE_FIELD, randomSecret, secretsField, textSetting, toleranceOf } from './fields';
import { DEDUPE_FIELD, GENERIC_READING } from './generic';
import type { Field, Preset, PresetContext, PresetSettings, SignedRequest } from './preset';
import { headerOf } from './request/header';
import type { KeyForm } from './signing/key-form';
import type { DigestEncoding, HmacAlgorithm, HmacScheme, TimestampRule } from './signing/scheme';
import { compileTemplate, placeholdersOf, templateProblemOf } from './signing/template';
import { hmacVerifier } from './signing/verifier';
import { HEADER_NAME, headerNameProblemOf } from './request/header-name';

const KEY_FORM: Readonly<Record<string, KeyForm>> = { utf8: 'text', hex: 'hex', base64: 'base64' };

/** How keys of each form must be written. */
const KEY_PATTERNS: Readonly<Record<string, RegExp>> = {
  utf8: /^/,
  hex: /^([0-9a-fA-F]{2})+$/,
  base64: /^(whsec_)?([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2,4}={0,2})$/,
};

const header = (description: string): Field => ({ kind: 'text', description, check: headerNameProblemOf });

const FIELDS: Readonly<Record<string, Field>> = {
  secrets: secretsField('The key, in the form that `keyForm` says', { generate: randomSecret }),
  keyForm: {
    kind: 'choice',
    choices: Object.keys(KEY_FORM),
    default: 'utf8',
    description: 'What the key’s bytes are: its characters, or what they are in hex or base64 (after `whsec_`, which may be missing)',
  },
  header: { ...header('Header that holds the signature'), required: true },
  algorithm: { kind: 'choice', choices: ['sha1', 'sha256', 'sha384', 'sha512'], default: 'sha256', description: 'The HMAC’s hash' },
  encoding: { kind: 'choice', choices: ['hex', 'base64', 'base64url'], default: 'hex', description: 'Of the signature; hex in lower case' },
  prefix: { kind: 'text', description: 'Before each signature, such as `sha256=`; not given: none' },
  separator: { kind: 'text', description: 'Between several signatures of the header, such as `,`; not given: it holds one' },
  template: {
    kind: 'text',
    default: '{body}',
    description:
      'What is signed: text with `{body}`, `{timestamp}`, `{id}`, `{header:x-name}`, `{method}`, `{url}` (with `hookServer.publicUrl`), `{path}` (without the query), `{target}` (path and query)',
    check: templateProblemOf,
  },
  timestampHeader: header('Header that holds `{timestamp}`, in Unix seconds or milliseconds'),
  timestampPart: {
    kind: 'text',
    description: 'Or its name in the signature header, such as `t` of `t=1700000000,v1=…`; parts are divided by `separator`',
    check: (name: string) => (HEADER_NAME.test(name) ? undefined : 'must be a name such as t'),
  },
  toleranceSeconds: TOLERANCE_FIELD,
  idHeader: header('Header that holds `{id}`'),
  dedupeFrom: DEDUPE_FIELD,
};

/** Signatures of any sender that nobody else's preset describes. */
export const hmac: Preset = {
  type: 'hmac',
  title: 'Any HMAC',
  verifies: 'a header of your choice: an HMAC over what your template says',
  documentation: 'https://www.rfc-editor.org/rfc/rfc2104',
  fields: FIELDS,
  problems(settings) {
    const names = placeholdersOf(templateOf(settings));
    const has = (field: string): boolean => settings[field] !== undefined;
    const pattern = KEY_PATTERNS[settings['keyForm'] as string]!;
    const found: [path: string, isWrong: boolean, message: string][] = [
      [
        'template',
        names.includes('timestamp') && !has('timestampHeader') && !has('timestampPart'),
        'needs timestampHeader or timestampPart',
      ],
      ['template', !names.includes('timestamp') && (has('timestampHeader') || has('timestampPart')), 'must hold {timestamp}'],
      ['timestampPart', has('timestampHeader') && has('timestampPart'), 'cannot be given beside timestampHeader'],
      ['timestampPart', has('timestampPart') && !has('separator'), 'needs separator'],
      ['template', names.includes('id') && !has('idHeader'), 'needs idHeader'],
      ['secrets', !settings.secrets.every((secret) => pattern.test(secret)), `must be in ${String(settings['keyForm'])}, as keyForm says`],
    ];
    return found.filter(([, isWrong]) => isWrong).map(([path, , message]) => ({ path, message }));
  },
  missing: (settings, { publicUrl }) =>
    publicUrl === null && placeholdersOf(templateOf(settings)).includes('url') ? 'hookServer.publicUrl' : undefined,
  verifier: (settings, context) => hmacVerifier(schemeOf(settings, context), settings.secrets),
  scheme: schemeOf,
  reading: GENERIC_READING,
};

const templateOf = (settings: PresetSettings): string => settings['template'] as string;

function schemeOf(settings: PresetSettings, context: PresetContext): HmacScheme {
  const separator = textSetting(settings, 'separator');
  const template = templateOf(settings);
  const pieces = compileTemplate(template, { idHeader: textSetting(settings, 'idHeader'), publicUrl: context.publicUrl });
  const timestamp = timestampRule(settings);
  return {
    headers: [settings['header'] as string],
    prefix: textSetting(settings, 'prefix') ?? '',
    ...(separator !== undefined && { separator }),
    ...(timestamp !== undefined && { timestamp }),
    algorithm: settings['algorithm'] as HmacAlgorithm,
    encoding: settings['encoding'] as DigestEncoding,
    keyForm: KEY_FORM[settings['keyForm'] as string] ?? 'text',
    signs: template === '{body}' ? 'the body' : template,
    contents: (request, sent) => [pieces.map((piece) => piece(request, sent))],
  };
}

function timestampRule(settings: PresetSettings): TimestampRule | undefined {
  const name = textSetting(settings, 'timestampHeader');
  const part = textSetting(settings, 'timestampPart');
  const toleranceSeconds = toleranceOf(settings);
  if (name !== undefined) return { title: name, toleranceSeconds, of: (request) => headerOf(request, name.toLowerCase()) };
  if (part === undefined) return undefined;
  const signatureHeader = settings['header'] as string;
  const separator = textSetting(settings, 'separator') ?? ',';
  const of = (request: SignedRequest): string | undefined =>
    headerOf(request, signatureHeader.toLowerCase())
      ?.split(separator)
      .find((each) => each.startsWith(`${part}=`))
      ?.slice(part.length + 1);
  return { title: `${part}= in ${signatureHeader}`, toleranceSeconds, of };
}
