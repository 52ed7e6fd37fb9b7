import type { SourceState } from '../../http/door';
import type { Finding } from './trial';

type Told = Omit<Finding, 'cause' | 'certain'> & Pick<Finding, 'cause'>;

const OUTAGE: Told = {
  cause: 'outage',
  explanation: 'A part that the gateway depends on was away when the request came',
  fix: 'None at the sender: it sends the request again, or accept it here',
};
const UNREADABLE: Told = {
  cause: 'unreadable',
  explanation: 'The body cannot be read, whoever sent it',
  fix: 'Let the sender send what the detail asks for',
};

const SWITCHED_OFF: Finding = {
  cause: 'switched_off',
  certain: true,
  explanation: 'The door was switched off',
  fix: 'Switch it on in the settings',
};

/** What a refusal's code says by itself. */
const BY_CODE: Readonly<Record<string, Told>> = {
  not_found: {
    cause: 'unknown_token',
    explanation: 'There is no source at this URL: it was deleted or changed, or the URL was copied in part',
    fix: 'Give the sender the URL that the source shows now',
  },
  webhook_unknown: {
    cause: 'unknown_token',
    explanation: 'There is no webhook of these tokens: it was deleted, or the URL was copied in part',
    fix: 'Give the sender the hookUrl again',
  },
  unsupported_media_type: {
    cause: 'content_type',
    explanation: 'The content type is not one that this door takes',
    fix: 'Set the content type at the sender to what the detail names, and let it send the request again: its body was not read',
  },
  unsupported_encoding: {
    cause: 'content_type',
    explanation: 'The body was compressed in a way that is not taken',
    fix: 'Let the sender send it plain or with one `Content-Encoding: gzip`',
  },
  body_too_large: {
    cause: 'body_too_large',
    explanation: 'The body is larger than what is taken',
    fix: 'Raise http.maxBodyBytes, and let the sender send the request again',
    setting: 'http.maxBodyBytes',
  },
  verify_token_mismatch: {
    cause: 'verify_token',
    explanation: 'The verify token of the platform’s check is another than the one that is set',
    fix: 'Enter the same verify token on the platform and in the settings',
  },
  malformed_request: UNREADABLE,
  malformed_json: UNREADABLE,
  json_too_deep: UNREADABLE,
  broker_unavailable: OUTAGE,
  storage_unavailable: OUTAGE,
  token_check_unavailable: OUTAGE,
  shutting_down: OUTAGE,
};

/** @param isOfSource Whether it is known which source the request was for. */
export function findingOfCode(code: string, detail: string, isOfSource: boolean): Finding | undefined {
  if (code === 'channel_not_configured') {
    const setting = /^(\S+) is not set$/.exec(detail)?.[1];
    const fix = `Set ${setting ?? 'verification.secrets of the source'}`;
    const explanation = 'What a request is checked with was not set';
    return { cause: 'not_configured', certain: true, explanation, fix, ...(setting !== undefined && { setting }) };
  }
  if (code === 'not_found' && detail.endsWith(' is switched off')) {
    return SWITCHED_OFF;
  }
  if (code === 'not_found' && isOfSource && detail.endsWith(' URL is not known')) {
    return {
      cause: 'unknown_token',
      certain: false,
      explanation: 'The source was disabled when the request came, or the URL is one that was replaced since',
      fix: 'Give the sender the URL that the source shows now, and let it send the request again: its body was not read',
    };
  }
  // The URL of a source that is known was right, and the detail says what it does not answer.
  if (code === 'not_found' && isOfSource) return undefined;
  const told = BY_CODE[code];
  return told === undefined ? undefined : { ...told, certain: true };
}

/** @param isOfSource Whether it is a source's own state, and not that of a whole door. */
export function findingOfState(state: SourceState, isOfSource: boolean): Finding | undefined {
  if (state === 'enabled') return undefined;
  if (state === 'deleted') {
    return {
      cause: 'unknown_token',
      certain: true,
      explanation: 'The source was deleted, and its URL with it',
      fix: 'Make a new source and give the sender its URL: this request cannot be accepted any more',
    };
  }
  if (!isOfSource) return SWITCHED_OFF;
  return {
    cause: 'switched_off',
    certain: true,
    explanation: 'The source is disabled, so its URL answers 404',
    fix: 'Set `enabled` of the source to true; what was refused with 404 was not read, so let the sender send it again',
    setting: 'enabled',
  };
}

/** Whether trying the signature may say more than the code does. */
export const isAboutSender = (code: string): boolean =>
  code.startsWith('signature_') || code === 'unauthorized' || code === 'channel_not_configured' || BY_CODE[code]?.cause === 'outage';
