import { KEY_FORMS, type KeyForm } from '../../presets/signing/key-form';
import type { CauseName } from './trial';

export interface SecretForm {
  cause: CauseName;
  explanation: string;
  fix: (setting: string) => string;
  secret: string;
  keyForm: KeyForm;
}

const PREFIX = 'whsec_';
/** Of the key forms, those that a key is taken for by mistake. */
const FORMS = ['text', 'base64', 'hex', 'text-without-prefix'] as const;

/** A secret as it may be on the sender's side. */
export function secretForms(secret: string, keyForm: KeyForm): SecretForm[] {
  const whitespace = (other: string, explanation: string, fix: (setting: string) => string): SecretForm[] =>
    other === secret ? [] : [{ cause: 'secret_whitespace', explanation, fix, secret: other, keyForm }];
  return [
    ...whitespace(
      secret.trim(),
      'The secret is set with white space around it, such as a line break at its end',
      (setting) => `Set ${setting} without it`,
    ),
    ...['\n', '\r\n', ' '].flatMap((end) =>
      whitespace(
        secret + end,
        'The sender’s secret has white space at its end, such as a line break',
        (setting) => `Enter the secret on the platform again without it, as it is in ${setting}`,
      ),
    ),
    ...(keyForm === 'account-token' ? ofAnyAccount(secret) : FORMS.flatMap((form) => otherForm(secret, keyForm, form))),
  ].filter(isUsable);
}

/** Twilio's, which may be set for one account. */
function ofAnyAccount(secret: string): SecretForm[] {
  const account = /^(AC[0-9A-Za-z]+):/.exec(secret)?.[1];
  if (account === undefined) return [];
  return [
    {
      cause: 'secret_account',
      explanation: `The token is set for the account ${account}, and the request is another account’s`,
      fix: (setting) => `Set ${setting} with the AccountSid of the request before the token, or without any`,
      secret,
      keyForm: 'account-token',
    },
  ];
}

function otherForm(secret: string, wanted: KeyForm, form: (typeof FORMS)[number]): SecretForm[] {
  if (form === wanted) return [];
  const hasPrefix = secret.startsWith(PREFIX);
  if (form === 'text-without-prefix' && !hasPrefix) {
    return wanted === 'text' ? [{ ...TEXTS.missing(), secret: PREFIX + secret, keyForm: 'text' }] : [];
  }
  const isPrefix = hasPrefix && (form === 'text-without-prefix' || (form === 'text' && wanted === 'base64'));
  return [{ ...TEXTS[isPrefix ? 'prefix' : 'encoding'](form), secret, keyForm: form }];
}

type Text = Pick<SecretForm, 'cause' | 'explanation' | 'fix'>;

const NAMES: Readonly<Record<(typeof FORMS)[number], string>> = {
  text: 'its characters, prefix included',
  base64: 'the bytes that it is the base64 of',
  hex: 'the bytes that it is the hex of',
  'text-without-prefix': `its characters without \`${PREFIX}\``,
};

const TEXTS = {
  prefix: (form: (typeof FORMS)[number]): Text => ({
    cause: 'secret_prefix',
    explanation: `The sender’s key is made of the secret in another way where the prefix \`${PREFIX}\` is concerned: of ${NAMES[form]}`,
    fix: (setting) =>
      form === 'text-without-prefix'
        ? `Set ${setting} without \`${PREFIX}\`, or choose the preset that the sender follows`
        : `Let the sender decode the secret after \`${PREFIX}\`, or choose the preset (\`hmac\`, with the secret as text in ${setting}) that it follows`,
  }),
  missing: (): Text => ({
    cause: 'secret_prefix',
    explanation: `The secret is set without its prefix \`${PREFIX}\`, which is part of the sender’s key`,
    fix: (setting) => `Set ${setting} with \`${PREFIX}\` before it, as the platform shows it`,
  }),
  encoding: (form: (typeof FORMS)[number]): Text => ({
    cause: 'secret_encoding',
    explanation: `The sender’s key is ${NAMES[form]}`,
    fix: (setting) => `Set ${setting} in the form that the preset wants, or choose the preset or key form that the sender follows`,
  }),
} as const;

/** Anyone may sign with an empty key: that would prove nothing. */
const isUsable = ({ secret, keyForm }: SecretForm): boolean => KEY_FORMS[keyForm](secret).length > 0;
