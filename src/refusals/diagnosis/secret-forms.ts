import { KEY_FORMS, type KeyForm } from '../../presets/signing/key-form';
import type { SourceCheck } from '../../http/door';
import { fieldOf, isSource, secretsOf } from './setting';
import type { CauseName, Finding } from './trial';

export interface SecretForm {
  cause: CauseName;
  explanation: string;
  /** With the setting, where that is not the secret's own. */
  fix: (check: SourceCheck) => Pick<Finding, 'fix' | 'setting'>;
  secret: string;
  keyForm: KeyForm;
}

const PREFIX = 'whsec_';
/** Of the key forms, those that a key is taken for by mistake. */
const FORMS = ['text', 'base64', 'hex', 'text-without-prefix'] as const;

/** A secret as it may be on the sender's side. */
export function secretForms(secret: string, keyForm: KeyForm): SecretForm[] {
  const whitespace = (other: string, explanation: string, fix: SecretForm['fix']): SecretForm[] =>
    other === secret ? [] : [{ cause: 'secret_whitespace', explanation, fix, secret: other, keyForm }];
  return [
    ...whitespace(secret.trim(), 'The secret is set with white space around it, such as a line break at its end', (check) => ({
      fix: `Set ${secretsOf(check)} without it`,
    })),
    ...['\n', '\r\n', ' '].flatMap((end) =>
      whitespace(secret + end, 'The sender’s secret has white space at its end, such as a line break', (check) => ({
        fix: `Enter the secret on the platform again without it, as it is set as ${secretsOf(check)}`,
      })),
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
      fix: (check) => ({ fix: `Set ${secretsOf(check)} with the AccountSid of the request before the token, or without any` }),
      secret,
      keyForm: 'account-token',
    },
  ];
}

function otherForm(secret: string, wanted: KeyForm, form: (typeof FORMS)[number]): SecretForm[] {
  if (form === wanted) return [];
  const hasPrefix = secret.startsWith(PREFIX);
  if (form === 'text-without-prefix' && !hasPrefix) return wanted === 'text' ? [missingPrefix(secret)] : [];
  const isPrefix = hasPrefix && (form === 'text-without-prefix' || (form === 'text' && wanted === 'base64'));
  const name = form === 'text' && hasPrefix ? `${NAMES.text}, \`${PREFIX}\` included` : NAMES[form];
  return [
    {
      cause: isPrefix ? 'secret_prefix' : 'secret_encoding',
      explanation: `The sender’s key is ${name}; here it is ${NAMES[wanted]}`,
      fix: form === 'text-without-prefix' && wanted === 'text' ? withoutPrefix : (check) => ofKeyForm(check, form),
      secret,
      keyForm: form,
    },
  ];
}

const missingPrefix = (secret: string): SecretForm => ({
  cause: 'secret_prefix',
  explanation: `The secret is set without its prefix \`${PREFIX}\`, which is part of the sender’s key`,
  fix: (check) => ({ fix: `Set ${secretsOf(check)} with \`${PREFIX}\` before it, as the platform shows it` }),
  secret: PREFIX + secret,
  keyForm: 'text',
});

const withoutPrefix: SecretForm['fix'] = (check) => ({ fix: `Set ${secretsOf(check)} without \`${PREFIX}\`` });

function ofKeyForm(check: SourceCheck, form: (typeof FORMS)[number]): Pick<Finding, 'fix' | 'setting'> {
  const value = KEY_FORM_VALUES[form];
  const also = form === 'text-without-prefix' ? `, and ${secretsOf(check)} without \`${PREFIX}\`` : '';
  const field = fieldOf(check, 'keyForm');
  if (field !== undefined) return { fix: `Set ${field} to \`${value}\`${also}`, setting: 'verification.keyForm' };
  const sender = `Let the sender use its key as ${check.preset.title} does (${check.preset.documentation})`;
  if (!isSource(check)) return { fix: sender };
  return { fix: `${sender}, or set verification.type of ${check.title} to \`hmac\` with \`keyForm\` \`${value}\`${also}` };
}

const KEY_FORM_VALUES: Readonly<Record<(typeof FORMS)[number], string>> = {
  text: 'utf8',
  base64: 'base64',
  hex: 'hex',
  'text-without-prefix': 'utf8',
};

const NAMES: Readonly<Record<KeyForm, string>> = {
  text: 'the characters of the secret',
  base64: 'the bytes that the secret is the base64 of',
  hex: 'the bytes that the secret is the hex of',
  'text-without-prefix': `the characters of the secret without \`${PREFIX}\``,
  'account-token': 'the token',
};

/** Anyone may sign with an empty key: that would prove nothing. */
const isUsable = ({ secret, keyForm }: SecretForm): boolean => KEY_FORMS[keyForm](secret).length > 0;
