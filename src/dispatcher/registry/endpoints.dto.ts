import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsISO8601,
  IsNumber,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateBy,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { ACCOUNT_ID, ACCOUNT_ID_RULE } from '../../core/account-id';

/** What can be sent today. */
const TYPES = ['webhook'] as const;
const WEEK_SECONDS = 604_800;
/** The egress guard reads it; here only that it is one word. */
const URL_TEXT = /^[^\s\p{Cc}]{1,2048}$/u;
const URL_RULE = 'must be a URL of at most 2048 characters';

const IsReadableUrl = (): PropertyDecorator =>
  ValidateBy({
    name: 'isReadableUrl',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && URL_TEXT.test(value) && URL.canParse(value),
      defaultMessage: () => URL_RULE,
    },
  });

export class EndpointAuthDto {
  @IsIn(['basic', 'bearer'])
  type!: 'basic' | 'bearer';

  /** With `basic`. */
  @ValidateIf((auth: EndpointAuthDto) => auth.type === 'basic')
  @IsString()
  @Matches(/^[^:\p{Cc}]{1,256}$/u, { message: 'must have 1 to 256 characters, no colon and no control characters' })
  username?: string;

  /** With `basic`. Never shown again. */
  @ValidateIf((auth: EndpointAuthDto) => auth.type === 'basic')
  @IsString()
  @Matches(/^\P{Cc}{0,1024}$/u, { message: 'must have at most 1024 characters and no control characters' })
  password?: string;

  /** With `bearer`. Never shown again. */
  @ValidateIf((auth: EndpointAuthDto) => auth.type === 'bearer')
  @IsString()
  @Matches(/^[\x21-\x7e]{1,4096}$/, { message: 'must have 1 to 4096 visible ASCII characters' })
  token?: string;
}

export class EndpointPropertiesDto {
  /** `standard`: the envelope of the gateway; `raw`: the sender's own bytes and content type. */
  @IsOptional()
  @IsIn(['standard', 'raw'])
  body?: 'standard' | 'raw' | null;
}

export class DisablePolicyDto {
  /** `failing_for`: after `days` of nothing but failures; `failures`: at the `count`-th failed attempt in all; `never`. */
  @IsIn(['failing_for', 'failures', 'never'])
  kind!: 'failing_for' | 'failures' | 'never';

  /** With `failing_for`. */
  @ValidateIf((policy: DisablePolicyDto) => policy.kind === 'failing_for')
  @IsInt()
  @Min(1)
  @Max(365)
  days?: number;

  /** With `failures`. */
  @ValidateIf((policy: DisablePolicyDto) => policy.kind === 'failures')
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  count?: number;
}

/** What creating and changing have in common; null is the default. */
class EndpointFieldsDto {
  /** The URL's host when it is left out. */
  @IsOptional()
  @IsString()
  @Length(1, 200)
  name?: string | null;

  @IsOptional()
  @IsIn(TYPES)
  type?: 'webhook' | null;

  @IsOptional()
  @IsString()
  @MaxLength(2_000)
  description?: string | null;

  /** Headers added to each attempt, by name. */
  @IsOptional()
  @IsObject()
  headers?: Record<string, string> | null;

  /** How the gateway presents itself to the endpoint. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => EndpointAuthDto)
  auth?: EndpointAuthDto | null;

  /** Deliveries to a disabled endpoint wait until it is enabled. */
  @IsOptional()
  @IsBoolean()
  enabled?: boolean | null;

  /** Longest time for one attempt, in milliseconds. */
  @IsOptional()
  @IsInt()
  @Min(1_000)
  @Max(60_000)
  timeoutMs?: number | null;

  /** Most attempts under way at once. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(10_000)
  maxInFlight?: number | null;

  /** Most attempts a second. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(10_000)
  ratePerSecond?: number | null;

  /** Seconds to wait before each further attempt; an empty list means a single attempt. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(50)
  @IsNumber({ allowNaN: false, allowInfinity: false }, { each: true })
  @Min(0.1, { each: true })
  @Max(WEEK_SECONDS, { each: true })
  retrySchedule?: number[] | null;

  /** When it is disabled for failing. Null: after five days of nothing but failures. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => DisablePolicyDto)
  disablePolicy?: DisablePolicyDto | null;

  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => EndpointPropertiesDto)
  properties?: EndpointPropertiesDto | null;
}

/** Fields that are left out stay as they are; null sets one back to its default. */
export class UpdateEndpointDto extends EndpointFieldsDto {
  /** Where deliveries are posted: http or https, no user name in it, leading to a public address. */
  @ValidateIf((endpoint: UpdateEndpointDto) => endpoint.url !== undefined)
  @IsReadableUrl()
  url?: string;
}

export class CreateEndpointDto extends EndpointFieldsDto {
  /** Left out: the key's account, `default` for an admin key. */
  @IsOptional()
  @Matches(ACCOUNT_ID, { message: ACCOUNT_ID_RULE })
  accountId?: string | null;

  /** Where deliveries are posted: http or https, no user name in it, leading to a public address. */
  @IsReadableUrl()
  url!: string;

  /** Signing secret of your own: `whsec_` and 24 to 64 bytes in base64. Made by the gateway when it is left out. */
  @IsOptional()
  @IsString()
  secret?: string | null;
}

export class RotateSecretDto {
  /** The new secret: `whsec_` and 24 to 64 bytes in base64. Made by the gateway when it is left out. */
  @IsOptional()
  @IsString()
  secret?: string | null;

  /** Until when the old secret signs beside the new one, ISO 8601; at most 30 days from now, 24 hours when it is left out. */
  @IsOptional()
  @IsISO8601({ strict: true })
  previousSecretUntil?: string | null;
}

/** What of an endpoint's authentication is shown. */
export class ShownAuthDto {
  type!: 'basic' | 'bearer';
  username?: string;
}

export class ShownPropertiesDto extends EndpointPropertiesDto {
  /** The setting that it is made of, for one that the gateway keeps itself: nothing of it can be changed here. */
  managedBy?: string;
}

export class EndpointDto {
  id!: string;
  accountId!: string;
  name!: string;
  /** `webhook`; `handover` and `owner` are the gateway's own. */
  type!: string;
  url!: string;
  description!: string;
  /** Values of headers that are named like credentials (`X-Api-Key`) are `***`; sent back so, they stay as they are. */
  headers!: Record<string, string>;
  /** Passwords and tokens are left out. */
  auth!: ShownAuthDto | null;
  enabled!: boolean;
  /** Why it is disabled: `manual`, or what the gateway found: `endpoint_gone` (it answered 410) or `failing` (its disablePolicy). */
  disabledReason!: string | null;
  /** Null: after five days of nothing but failures. */
  disablePolicy!: DisablePolicyDto | null;
  /** Since when every attempt has failed, ISO 8601; null after a success. */
  failingSince!: string | null;
  /** Failed attempts since it was enabled; counted under the policy `failures` only. */
  failureCount!: number;
  /** Why nothing can be sent to it, `secret_unreadable`: no key opens its secret, headers or auth, which are shown empty. Else null. */
  fault!: string | null;
  /** Null: the gateway's default. */
  timeoutMs!: number | null;
  maxInFlight!: number | null;
  ratePerSecond!: number | null;
  /** Seconds; null: the gateway's default. */
  retrySchedule!: number[] | null;
  properties!: ShownPropertiesDto;
  /** Until when the previous secret signs as well, ISO 8601; null outside of a rotation. */
  previousSecretUntil!: string | null;
  createdAt!: string;
  updatedAt!: string;
}

/** The answer of create and rotate-secret, the only ones with the secret. */
export class EndpointWithSecretDto extends EndpointDto {
  /** Signs deliveries (Standard Webhooks). Shown here only. */
  secret!: string;
}

export class EndpointListDto {
  data!: EndpointDto[];
  /** Ask with `?cursor=` for the next page; null on the last one. */
  nextCursor!: string | null;
}
