import type { Principal } from '../../auth/principal';
import { GatewayError } from '../../core/errors';

/** @throws GatewayError `forbidden`. */
export function assertAdmin(principal: Principal): void {
  if (principal.accountId !== null) throw new GatewayError('forbidden', 'This needs an admin key');
}

/** To a key of another account, the account is not there. @throws GatewayError `not_found`. */
export function assertOwn(principal: Principal, account: string): void {
  if (principal.accountId !== null && principal.accountId !== account) throw noSuchAccount(account);
}

/** Whose rows a list shows: the key's account; for an admin key the account asked for, else (null) all. */
export function listScope(principal: Principal, requested: string | undefined): string | null {
  if (requested !== undefined) assertOwn(principal, requested);
  return principal.accountId ?? requested ?? null;
}

export const noSuchAccount = (id: string): GatewayError => new GatewayError('not_found', `There is no account ${id.slice(0, 128)}`);
