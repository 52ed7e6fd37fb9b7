import { GatewayError } from '../../core/errors';
import type { SignedRequest } from '../preset';
import { requiredHeader } from '../request/header';

/**
 * What follows the scheme in `Authorization`.
 * @throws GatewayError `signature_missing`, `signature_invalid` for another scheme.
 */
export function authorizationOf(request: SignedRequest, scheme: 'Basic' | 'Bearer'): string {
  const [name = '', credentials = ''] = requiredHeader(request, 'authorization').trim().split(/ +/, 2);
  if (name.toLowerCase() !== scheme.toLowerCase() || credentials === '') {
    throw new GatewayError('signature_invalid', `Authorization is not "${scheme}" and what goes with it`);
  }
  return credentials;
}
