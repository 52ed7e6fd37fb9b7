/** When an endpoint that fails is disabled. A value: it is kept with the endpoint and shown with it. */
export type DisablePolicy =
  /** After so many days of nothing but failures. */
  | { kind: 'failing_for'; days: number }
  /** At so many failed attempts in all since it was enabled, whatever succeeded between them. */
  | { kind: 'failures'; count: number }
  | { kind: 'never' };

export const DEFAULT_DISABLE_POLICY: DisablePolicy = { kind: 'failing_for', days: 5 };

const DAY_MS = 86_400_000;

/** What is kept of an endpoint's attempts. */
export interface FailureRecord {
  /** Since when every attempt has failed, in milliseconds since 1970; null after a success. */
  failingSince: number | null;
  /** Failed attempts since it was enabled; counted under the policy `failures` only. */
  failureCount: number;
}

/** True when the policy gives the endpoint up. */
export function isGivenUp(policy: DisablePolicy, { failingSince, failureCount }: FailureRecord, nowMs: number): boolean {
  switch (policy.kind) {
    case 'failing_for':
      return failingSince !== null && nowMs - failingSince >= policy.days * DAY_MS;
    case 'failures':
      return failureCount >= policy.count;
    case 'never':
      return false;
  }
}

/** A policy from its column. */
export const readDisablePolicy = (json: string | null): DisablePolicy | null =>
  json === null ? null : (JSON.parse(json) as DisablePolicy);
