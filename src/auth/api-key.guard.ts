import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { GatewayError } from '../core/errors';
import { Authenticator } from './authenticator';

const BEARER = /^bearer +(\S{1,512}) *$/i;

/** `@UseGuards(ApiKeyGuard)`: only with `Authorization: Bearer <key>`; the handler gets the key's principal. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  constructor(private readonly authenticator: Authenticator) {}

  async canActivate(context: ExecutionContext): Promise<true> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const key = BEARER.exec(request.headers.authorization ?? '')?.[1];
    if (key === undefined) throw new GatewayError('unauthorized', 'The request carries no `Authorization: Bearer <key>`');
    const principal = await this.authenticator.authenticate(key);
    if (!principal) throw new GatewayError('unauthorized', 'The API key is unknown or revoked');
    request.principal = principal;
    return true;
  }
}
