import { Type } from 'class-transformer';
import { IsObject, IsOptional, Matches, ValidateNested } from 'class-validator';
import { ACCOUNT_ID, ACCOUNT_ID_RULE } from '../../core/account-id';

const NAME = /^\P{Cc}{1,200}$/u;
const NAME_RULE = 'must have 1 to 200 characters and no control characters';

export class CreateAccountDto {
  /** Chosen by you, unchangeable; made when it is left out. */
  @IsOptional()
  @Matches(ACCOUNT_ID, { message: ACCOUNT_ID_RULE })
  id?: string | null;

  /** The id when it is left out. */
  @IsOptional()
  @Matches(NAME, { message: NAME_RULE })
  name?: string | null;
}

export class UpdateAccountDto {
  /** Null: the id. */
  @IsOptional()
  @Matches(NAME, { message: NAME_RULE })
  name?: string | null;
}

const TOKEN = /^[\x21-\x7e]{1,1024}$/;
const TOKEN_RULE = 'must have 1 to 1024 printable ASCII characters and no spaces';

/** A user's OAuth 1.0a token. */
export class IdentityCredentialsDto {
  @Matches(TOKEN, { message: TOKEN_RULE })
  accessToken!: string;

  @Matches(TOKEN, { message: TOKEN_RULE })
  accessTokenSecret!: string;
}

/** What stands for an account on a platform. */
export class CreateIdentityDto {
  /** The channel's name, such as `facebook`. */
  @Matches(/^[a-z][a-z0-9-]{0,63}$/, { message: 'must be the name of a channel, such as facebook' })
  channel!: string;

  /** Page id, Instagram id, WhatsApp phone_number_id …: what the platform's webhooks carry. */
  @Matches(/^\P{Cc}{1,128}$/u, { message: 'must have 1 to 128 characters and no control characters' })
  externalId!: string;

  /** With what the gateway acts for it on the platform (`twitter`: subscribes to its events); never shown again. Left out: as it was; null: none. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => IdentityCredentialsDto)
  credentials?: IdentityCredentialsDto | null;
}

export class AccountDto {
  id!: string;
  name!: string;
  /** ISO 8601. */
  createdAt!: string;
}

export class IdentityDto {
  channel!: string;
  externalId!: string;
  accountId!: string;
  /** Whether the gateway can act for it on the platform. */
  hasCredentials!: boolean;
  /** ISO 8601. */
  createdAt!: string;
}

export class AccountListDto {
  data!: AccountDto[];
  /** Ask with `?cursor=` for the next page; null on the last one. */
  nextCursor!: string | null;
}

export class IdentityListDto {
  data!: IdentityDto[];
  /** Ask with `?cursor=` for the next page; null on the last one. */
  nextCursor!: string | null;
}
