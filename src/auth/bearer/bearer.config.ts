import { ArrayNotEmpty, IsArray, IsIn, IsNotEmpty, IsOptional, IsString, IsUrl, ValidateIf } from 'class-validator';
import { ConfigSection } from '../../config/config-section';
import { Secret } from '../../config/secret';

const URL_RULE = { require_tld: false, protocols: ['http', 'https'], require_protocol: true, disallow_auth: true };

/** Those that need no secret of the issuer's to check. */
const ASYMMETRIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const;

@ConfigSection('sts')
export class StsConfig {
  @IsOptional()
  @IsUrl(URL_RULE)
  readonly url!: string | null;
}

const isAsked = (config: IntrospectionConfig): boolean => config.url !== null;

@ConfigSection('accessTokens.introspection')
export class IntrospectionConfig {
  @IsOptional()
  @IsUrl(URL_RULE)
  readonly url!: string | null;

  @ValidateIf(isAsked)
  @IsString()
  @IsNotEmpty()
  readonly clientId!: string | null;

  @Secret()
  @ValidateIf(isAsked)
  @IsString()
  @IsNotEmpty()
  readonly clientSecret!: string | null;

  @IsString()
  @IsNotEmpty()
  readonly tenantClaim!: string;
}

const isVerified = (config: JwtConfig): boolean => config.jwksUrl !== null;

@ConfigSection('accessTokens.jwt')
export class JwtConfig {
  @IsOptional()
  @IsUrl(URL_RULE)
  readonly jwksUrl!: string | null;

  @ValidateIf(isVerified)
  @IsString()
  @IsNotEmpty()
  readonly issuer!: string | null;

  /** Without one, a token that the issuer made for another program would pass. */
  @ValidateIf(isVerified)
  @IsString()
  @IsNotEmpty()
  readonly audience!: string | null;

  @IsArray()
  @ArrayNotEmpty()
  @IsIn(ASYMMETRIC, { each: true })
  readonly algorithms!: readonly (typeof ASYMMETRIC)[number][];

  @IsString()
  @IsNotEmpty()
  readonly tenantClaim!: string;
}
