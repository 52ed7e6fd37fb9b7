import { ArrayMaxSize, IsArray, IsBoolean, IsObject, IsOptional, IsString, Matches } from 'class-validator';
import { ACCOUNT_ID, ACCOUNT_ID_RULE } from '../../core/account-id';

const NAME = /^\P{Cc}{1,256}$/u;
const NAME_RULE = 'each must have 1 to 256 characters and no control characters';
const MAX_NAMES = 200;

/** Fields that are left out stay as they are; null sets one back to its default. An empty list means any. */
export class UpdateFilterDto {
  @IsOptional()
  @Matches(/^\P{Cc}{0,200}$/u, { message: 'must have at most 200 characters and no control characters' })
  name?: string | null;

  @IsOptional()
  @IsBoolean()
  enabled?: boolean | null;

  /** Such as `facebook`. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_NAMES)
  @Matches(NAME, { each: true, message: NAME_RULE })
  applications?: string[] | null;

  /** Such as `message`. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_NAMES)
  @Matches(NAME, { each: true, message: NAME_RULE })
  eventTypes?: string[] | null;

  /** A filter with levels does not match an event without one. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_NAMES)
  @Matches(NAME, { each: true, message: NAME_RULE })
  levels?: string[] | null;

  /**
   * Conditions on what stands in an event (docs/filters.md); all of them have to hold. An empty object means none.
   * @example { "message.host.os": { "$in": ["rhel", "fedora"] } }
   */
  @IsOptional()
  @IsObject({ message: 'must be an object of conditions' })
  where?: Record<string, unknown> | null;

  /** Where matching events go: endpoints of the same account. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_NAMES)
  @IsString({ each: true })
  endpointIds?: string[] | null;
}

export class CreateFilterDto extends UpdateFilterDto {
  /** Left out: the key's account, `default` for an admin key. */
  @IsOptional()
  @Matches(ACCOUNT_ID, { message: ACCOUNT_ID_RULE })
  accountId?: string | null;
}

export class FilterDto {
  id!: string;
  accountId!: string;
  name!: string;
  enabled!: boolean;
  applications!: string[];
  eventTypes!: string[];
  levels!: string[];
  /** Conditions on what stands in an event; null: none. */
  where!: Record<string, unknown> | null;
  endpointIds!: string[];
  createdAt!: string;
  updatedAt!: string;
}

export class FilterListDto {
  data!: FilterDto[];
  /** Ask with `?cursor=` for the next page; null on the last one. */
  nextCursor!: string | null;
}
