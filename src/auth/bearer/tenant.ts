import { ACCOUNT_ID } from '../../core/account-id';
import { GatewayError } from '../../core/errors';
import type { JsonSlice } from '../../core/json-slice';

/** Whom an access token stands for. */
export interface Tenant {
  /** What the account is called. */
  accountId: string;
  /** The tenant's id as JSON text, digit for digit as it was told: a number or a string. */
  idJson: string;
}

/** What a check says of a token that is good. */
export interface CheckedToken {
  tenant: Tenant;
  /** Milliseconds since 1970; absent where it is not told. */
  expiresAtMs?: number;
}

/**
 * Asks whose a token is; undefined for one that is not good.
 * @throws GatewayError `token_check_unavailable` where that cannot be found out, `forbidden`.
 */
export type BearerCheck = (token: string) => Promise<CheckedToken | undefined>;

/**
 * The tenant whose id is this value; undefined where the value is no id at all.
 * @throws GatewayError `forbidden` for an id that cannot be an account's.
 */
export function tenantOf(id: JsonSlice | undefined): Tenant | undefined {
  const text = id?.kind === 'number' ? numberText(id.text()) : id?.string();
  if (id === undefined || text === undefined || text === '') return undefined;
  if (!ACCOUNT_ID.test(text)) throw new GatewayError('forbidden', 'The tenant’s id cannot be the id of an account');
  return { accountId: text, idJson: id.text() };
}

/** Whole numbers digit for digit, whatever their size; others as String(number) has them, and undefined for what is too large for that. */
function numberText(text: string): string | undefined {
  if (/^\d+$/.test(text)) return text;
  const number = Number(text);
  return Number.isFinite(number) ? String(number) : undefined;
}
