import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { DEFAULT_ACCOUNT } from '../core/account-id';
import { GatewayError } from '../core/errors';

/** Whose key a request carries. */
export interface Principal {
  keyId: string;
  /** Null for an admin key. */
  accountId: string | null;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by ApiKeyGuard. */
    principal?: Principal;
  }
}

export const principalOf = (context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<FastifyRequest>();
  if (!principal) throw new Error('A handler asks for the principal, but ApiKeyGuard does not guard it');
  return principal;
};

/** `@CurrentPrincipal() principal: Principal` in a handler that ApiKeyGuard guards. */
export const CurrentPrincipal = createParamDecorator((_: unknown, context: ExecutionContext) => principalOf(context));

/**
 * The account to work in: the key's own; for an admin key the one asked for, else `default`.
 * @throws GatewayError `not_found` when a key asks for another account: to it, that one does not exist.
 */
export function accountOf(principal: Principal, requested?: string): string {
  if (principal.accountId === null) return requested ?? DEFAULT_ACCOUNT;
  if (requested !== undefined && requested !== principal.accountId) throw new GatewayError('not_found', 'There is no such account');
  return principal.accountId;
}
