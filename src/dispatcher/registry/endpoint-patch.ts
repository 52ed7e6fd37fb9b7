import { type FieldProblem, GatewayError } from '../../core/errors';
import { type EndpointRecord, readable } from './endpoint-record';
import { headerProblems, newSecret, normalSecret, withHidden } from './endpoint-rules';
import type { DisablePolicy } from '../delivery/disable-policy';
import type { DisablePolicyDto, EndpointAuthDto, EndpointPropertiesDto, UpdateEndpointDto } from './endpoints.dto';

type Settable = Omit<EndpointRecord, 'id' | 'accountId' | 'createdAt' | 'updatedAt' | 'secret' | 'previousSecret' | 'previousSecretUntil'>;

/** What null sets a field back to; the name follows the URL. */
const DEFAULTS = {
  type: 'webhook',
  description: '',
  headers: {},
  auth: null,
  timeoutMs: null,
  maxInFlight: null,
  ratePerSecond: null,
  retrySchedule: null,
  disablePolicy: null,
} as const satisfies Partial<Settable>;

/**
 * The fields that the patch changes; undefined leaves a field as it is, null sets it back to its default.
 * @throws GatewayError `validation_failed`.
 */
export function changesOf(endpoint: Settable, patch: UpdateEndpointDto): Partial<Settable> {
  const next: Partial<Settable> = {};
  if (patch.url !== undefined) next.url = patch.url;
  if (patch.name !== undefined) next.name = patch.name ?? new URL(next.url ?? endpoint.url).host;
  for (const field of Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[]) {
    if (patch[field] !== undefined) Object.assign(next, { [field]: patch[field] ?? DEFAULTS[field] });
  }
  if (patch.headers) next.headers = withHidden(patch.headers, presentHeaders(endpoint));
  if (patch.auth) next.auth = authOf(patch.auth);
  if (patch.disablePolicy) next.disablePolicy = policyOf(patch.disablePolicy);
  // What was counted before belongs to another policy.
  if (next.disablePolicy !== undefined && next.disablePolicy?.kind !== endpoint.disablePolicy?.kind) next.failureCount = 0;
  if (patch.properties !== undefined) next.properties = mergeProperties(endpoint.properties, patch.properties);
  if (patch.enabled !== undefined) {
    const { enabled, disabledReason, failingSince, failureCount } = endpoint;
    Object.assign(
      next,
      switched({ enabled, disabledReason, failingSince, failureCount: next.failureCount ?? failureCount }, patch.enabled ?? true),
    );
  }
  assertValid(endpoint, next, patch);
  return next;
}

/** Of those that cannot be opened nothing is known. */
const presentHeaders = (endpoint: Settable): Record<string, string> => readable(() => endpoint.headers) ?? {};

type Switch = Pick<EndpointRecord, 'enabled' | 'disabledReason' | 'failingSince' | 'failureCount'>;

/** Enabling forgives what disabled it, so that one more failure does not disable it again. */
export function switched(endpoint: Switch, enabled: boolean): Switch {
  const { failingSince, failureCount } = endpoint;
  if (!enabled) return { enabled, disabledReason: endpoint.disabledReason ?? 'manual', failingSince, failureCount };
  return {
    enabled,
    disabledReason: null,
    ...(endpoint.enabled ? { failingSince, failureCount } : { failingSince: null, failureCount: 0 }),
  };
}

/** @throws GatewayError `validation_failed`. */
export function secretOf(given: string | null | undefined): string {
  if (given === undefined || given === null) return newSecret();
  const secret = normalSecret(given);
  if (secret !== undefined) return secret;
  const problems = [{ path: 'secret', message: 'must be whsec_ and 24 to 64 bytes in base64' }];
  throw new GatewayError('validation_failed', undefined, { problems });
}

/** Only what the type needs: a password sent along with a token is not kept. */
const authOf = (auth: EndpointAuthDto): Record<string, unknown> =>
  auth.type === 'basic' ? { type: 'basic', username: auth.username, password: auth.password } : { type: 'bearer', token: auth.token };

/** Only what the kind needs, as above. The rules of the fields have seen to it that it is there. */
function policyOf({ kind, days, count }: DisablePolicyDto): DisablePolicy {
  if (kind === 'failing_for') return { kind, days: days as number };
  return kind === 'failures' ? { kind, count: count as number } : { kind };
}

/** One property at a time, as with the fields themselves. */
function mergeProperties(present: Record<string, unknown>, patch: EndpointPropertiesDto | null): Record<string, unknown> {
  const merged: Record<string, unknown> = patch === null ? {} : { ...present, ...definedOf(patch) };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null));
}

const definedOf = (patch: EndpointPropertiesDto): Record<string, unknown> =>
  Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));

function assertValid(endpoint: Settable, { headers, auth }: Partial<Settable>, patch: UpdateEndpointDto): void {
  const problems: FieldProblem[] = [];
  if (headers !== undefined || auth !== undefined) {
    const hasAuth = (auth === undefined ? readable(() => endpoint.auth) : auth) !== null;
    problems.push(...headerProblems(headers ?? presentHeaders(endpoint), hasAuth));
  }
  if (patch.name?.includes('\0')) problems.push({ path: 'name', message: 'must not hold NUL' });
  if (patch.description?.includes('\0')) problems.push({ path: 'description', message: 'must not hold NUL' });
  if (problems.length > 0) throw new GatewayError('validation_failed', undefined, { problems });
}
