import { Type } from 'class-transformer';
import {
  Allow,
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsISO8601,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { ACCOUNT_ID, ACCOUNT_ID_RULE } from '../../core/account-id';

const NAME = /^\P{Cc}{1,256}$/u;
const NAME_RULE = 'must have 1 to 256 characters and no control characters';
const MAX_NAMES = 200;

/** What is left out means any. */
class BulkFilterDto {
  @IsOptional()
  @IsString()
  endpointId?: string;

  /** Of the event. */
  @IsOptional()
  @Matches(NAME, { message: NAME_RULE })
  application?: string;

  /** Of the event. */
  @IsOptional()
  @Matches(NAME, { message: NAME_RULE })
  eventType?: string;

  /** For an admin key; other keys reach their own account only. */
  @IsOptional()
  @Matches(ACCOUNT_ID, { message: ACCOUNT_ID_RULE })
  accountId?: string;

  /** Made at or after this time, ISO 8601. */
  @IsOptional()
  @IsISO8601({ strict: true })
  since?: string;

  /** Made before this time, ISO 8601. */
  @IsOptional()
  @IsISO8601({ strict: true })
  until?: string;
}

export class RedriveFilterDto extends BulkFilterDto {
  @IsOptional()
  @IsIn(['receiver', 'pipeline'])
  deadClass?: 'receiver' | 'pipeline';

  /** Of the delivery, such as `503` or `timeout`. */
  @IsOptional()
  @IsString()
  @MaxLength(256)
  reason?: string;
}

export class CancelFilterDto extends BulkFilterDto {
  @IsOptional()
  @IsIn(['pending', 'waiting'])
  status?: 'pending' | 'waiting';
}

class JobRequestDto {
  /** Most deliveries that are changed in a second; left out: 500, to cancel 5,000. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(10_000)
  ratePerSecond?: number;

  /** True: nothing is changed; the answer says how many deliveries would be. */
  @IsOptional()
  @IsBoolean()
  dryRun?: boolean;
}

export class RedriveDto extends JobRequestDto {
  /** Must be given; `{}` means every dead delivery. */
  @IsObject()
  @ValidateNested()
  @Type(() => RedriveFilterDto)
  filter!: RedriveFilterDto;
}

export class CancelDto extends JobRequestDto {
  /** Must be given; `{}` means every open delivery. */
  @IsObject()
  @ValidateNested()
  @Type(() => CancelFilterDto)
  filter!: CancelFilterDto;
}

/** An empty list means any. */
export class ReplayFilterDto {
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_NAMES)
  @Matches(NAME, { each: true, message: `each ${NAME_RULE}` })
  applications?: string[];

  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_NAMES)
  @Matches(NAME, { each: true, message: `each ${NAME_RULE}` })
  eventTypes?: string[];

  /** An event without a level is in no such list. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_NAMES)
  @Matches(NAME, { each: true, message: `each ${NAME_RULE}` })
  levels?: string[];
}

export class ReplayDto extends JobRequestDto {
  /** Events stored at or after this time, ISO 8601. */
  @IsISO8601({ strict: true })
  since!: string;

  /** Events stored before this time, ISO 8601; left out: now. */
  @IsOptional()
  @IsISO8601({ strict: true })
  until?: string;

  /** Left out: the events that the filters naming the endpoint match now. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => ReplayFilterDto)
  filter?: ReplayFilterDto;
}

export class TestEventDto {
  /** Left out: `hookline`. */
  @IsOptional()
  @Matches(/^\P{Cc}{1,128}$/u, { message: 'must have 1 to 128 characters and no control characters' })
  application?: string | null;

  /** Left out: `test`. */
  @IsOptional()
  @Matches(NAME, { message: NAME_RULE })
  eventType?: string | null;

  /** Any JSON value; it is sent byte for byte. Left out: an example. */
  @Allow()
  message?: unknown;
}

export class SentTestDto {
  eventId!: string;
  deliveryId!: string;
}

export class PreviewDto {
  /** How many deliveries would be changed or made. */
  count!: number;
  /** True: there are at least so many; counting stops at 1,000,000 or after two seconds. */
  isLowerBound!: boolean;
}

export class JobDto {
  id!: string;
  kind!: 'redrive' | 'cancel' | 'replay';
  /** `running`, also while it waits for its turn; `stopping` until the slice under way has ended. */
  state!: 'running' | 'stopping' | 'stopped' | 'done' | 'failed';
  /** Whose deliveries it changes; null: of all accounts. */
  accountId!: string | null;
  endpointId!: string | null;
  /** As it was asked for. */
  filter!: Record<string, unknown>;
  ratePerSecond!: number;
  /** How many there were when it began. */
  total!: number;
  /** True: there were at least so many. */
  totalIsLowerBound!: boolean;
  /** How many of them it has come to. */
  examined!: number;
  /** How many of them it has changed; the others were changed by somebody else meanwhile. */
  changed!: number;
  createdAt!: string;
  updatedAt!: string;
  finishedAt!: string | null;
  /** Why it failed. */
  error!: string | null;
}

export class JobListDto {
  data!: JobDto[];
  /** Ask with `?cursor=` for the next page; null on the last one. */
  nextCursor!: string | null;
}
