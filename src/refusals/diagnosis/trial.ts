import type { SourceCheck } from '../../http/door';
import type { ReceivedRequest } from '../../http/received-request';
import type { Verifier } from '../../presets/preset';

/** What a request is tried against. */
export interface Patient {
  request: ReceivedRequest;
  check: SourceCheck;
  /** Of the other sources. */
  others: readonly SourceCheck[];
}

/** What may be wrong with a request that was refused; docs/diagnosis.md lists the same. */
export const CAUSES = [
  'mended',
  'clock_skew',
  'secret_whitespace',
  'secret_prefix',
  'secret_encoding',
  'secret_account',
  'old_secret',
  'other_source_secret',
  'secret_unknown',
  'signature_encoding',
  'signature_algorithm',
  'public_url',
  'trailing_slash',
  'path_changed',
  'body_reserialised',
  'signature_absent',
  'wrong_preset',
  'content_type',
  'unknown_token',
  'not_configured',
  'switched_off',
  'outage',
  'body_too_large',
  'verify_token',
  'unreadable',
] as const;

export type CauseName = (typeof CAUSES)[number];

/** A cause in words; nothing in it is secret. */
export interface Finding {
  cause: CauseName;
  /** True: the signature proves it. */
  certain: boolean;
  explanation: string;
  fix: string;
  /** The setting that the fix changes. */
  setting?: string;
  /** What makes the door take the request as it stands; only what the sender has signed, never another secret. */
  repair?: Partial<ReceivedRequest>;
}

/** One thing changed, and what it means when the request then passes. */
export interface Trial {
  finding: Omit<Finding, 'certain'>;
  request: ReceivedRequest;
  /** Made when it is this trial's turn: a request has hundreds of them. */
  verifier: () => Verifier;
}
