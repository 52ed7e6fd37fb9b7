import { IsBoolean, IsOptional, Matches } from 'class-validator';
import { ACCOUNT_ID, ACCOUNT_ID_RULE } from '../core/account-id';

const NAME = /^\P{Cc}{0,200}$/u;
const NAME_RULE = 'must have at most 200 characters and no control characters';

export class CreateKeyDto {
  /** What you want to remember it by. */
  @IsOptional()
  @Matches(NAME, { message: NAME_RULE })
  name?: string | null;

  /** Whose key it is; the account of the key that asks when it is left out, `default` for an admin key. */
  @IsOptional()
  @Matches(ACCOUNT_ID, { message: ACCOUNT_ID_RULE })
  accountId?: string | null;

  /** True for a key to everything; only an admin key may make one. */
  @IsOptional()
  @IsBoolean()
  admin?: boolean | null;
}

export class UpdateKeyDto {
  @IsOptional()
  @Matches(NAME, { message: NAME_RULE })
  name?: string | null;
}

export class KeyDto {
  id!: string;
  /** Null for an admin key. */
  accountId!: string | null;
  admin!: boolean;
  name!: string;
  /** How the key begins. */
  prefix!: string;
  /** ISO 8601. */
  createdAt!: string;
}

export class NewKeyDto extends KeyDto {
  /** The key itself: it is in this answer only. */
  key!: string;
}

export class KeyListDto {
  data!: KeyDto[];
  /** Ask with `?cursor=` for the next page; null on the last one. */
  nextCursor!: string | null;
}
