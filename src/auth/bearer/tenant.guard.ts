import { type CanActivate, type ExecutionContext, Injectable, createParamDecorator } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { GatewayError } from '../../core/errors';
import { BearerTokens } from './bearer-tokens';
import type { Tenant } from './tenant';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by TenantGuard. */
    bearer?: Bearer;
  }
}

/** Who asks, and the token by which that is known. */
export interface Bearer {
  tenant: Tenant;
  accessToken: string;
}

/** JWTs are long; all headers together have 16 KiB. */
const BEARER = /^bearer +([!-~]{1,12000}) *$/i;

/** `@UseGuards(TenantGuard)`: only with `Authorization: Bearer <access token>`; the handler gets whose it is. */
@Injectable()
export class TenantGuard implements CanActivate {
  constructor(private readonly tokens: BearerTokens) {}

  async canActivate(context: ExecutionContext): Promise<true> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const accessToken = BEARER.exec(request.headers.authorization ?? '')?.[1];
    if (accessToken === undefined) throw new GatewayError('unauthorized', 'The request carries no `Authorization: Bearer <access token>`');
    request.bearer = { tenant: await this.tokens.tenantOf(accessToken), accessToken };
    return true;
  }
}

/** The bearer that TenantGuard has let in. */
export const CurrentBearer = createParamDecorator((_: unknown, context: ExecutionContext): Bearer => {
  const { bearer } = context.switchToHttp().getRequest<FastifyRequest>();
  if (bearer === undefined) throw new GatewayError('internal_error');
  return bearer;
});
