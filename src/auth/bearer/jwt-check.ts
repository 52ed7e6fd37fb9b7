import { type JWTVerifyOptions, createRemoteJWKSet, customFetch, errors, jwtVerify } from 'jose';
import { type Dispatcher, fetch } from 'undici';
import { parseJson } from '../../core/json-slice';
import { ASK_TIMEOUT_MS, reasonOf, unavailable } from './ask';
import type { JwtConfig } from './bearer.config';
import { type BearerCheck, tenantOf } from './tenant';

const CLOCK_TOLERANCE_SECONDS = 5;

/** What is wrong with the token itself; anything else says that its keys cannot be had. */
const VERDICTS = [
  errors.JWTExpired,
  errors.JWTClaimValidationFailed,
  errors.JWTInvalid,
  errors.JWSInvalid,
  errors.JWSSignatureVerificationFailed,
  errors.JOSEAlgNotAllowed,
  errors.JOSENotSupported,
  errors.JWKSNoMatchingKey,
];

/** A JWT signed by a key of the JWKS. A key that is new there is fetched when a token names it, once in 30 s at most. */
export function jwtCheck(agent: Dispatcher, config: JwtConfig): BearerCheck {
  const keys = createRemoteJWKSet(new URL(config.jwksUrl ?? ''), {
    timeoutDuration: ASK_TIMEOUT_MS,
    [customFetch]: (url, options) => fetch(url, { ...options, dispatcher: agent } as never),
  });
  const options: JWTVerifyOptions = {
    issuer: config.issuer ?? '',
    audience: config.audience ?? '',
    algorithms: [...config.algorithms],
    requiredClaims: ['exp'],
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
  };
  const verify = async (token: string): Promise<number> => {
    try {
      return (await jwtVerify(token, keys, options)).payload.exp ?? 0;
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      for await (const key of error) {
        try {
          return (await jwtVerify(token, key, options)).payload.exp ?? 0;
        } catch (failure) {
          if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
        }
      }
      throw new errors.JWSSignatureVerificationFailed();
    }
  };
  return async (token) => {
    let expiresAt: number;
    try {
      expiresAt = await verify(token);
    } catch (error) {
      if (VERDICTS.some((type) => error instanceof type)) return undefined;
      throw unavailable(error instanceof errors.JOSEError ? error.message : reasonOf(error), error);
    }
    // Not from the library's payload: numbers beyond 2^53 would lose digits.
    const claims = parseJson(Buffer.from(token.split('.')[1] ?? '', 'base64url'));
    const tenant = tenantOf(claims.member(config.tenantClaim));
    return tenant && { tenant, expiresAtMs: expiresAt * 1_000 };
  };
}
