import { Type } from 'class-transformer';
import { IsInt, IsISO8601, IsObject, IsOptional, IsString, Max, Min, ValidateNested } from 'class-validator';
import { PublishEventDto } from '../outbox/events.dto';
import { CreateFilterDto } from '../registry/filters.dto';

/** Documents what is read by its slices. */
export class ExplainEventDto {
  /** As it would be published. */
  event!: PublishEventDto;
}

export class ClauseDto {
  /** Where it stands in the filter, such as `where.$or[1].message.host.os.$in`. */
  at!: string;
  /** Such as `message.host.os $in ["rhel","fedora"]`; a group of clauses is its operator, behind its members. */
  clause!: string;
  passed!: boolean;
  /** What stands there in the event, at most ten values, long ones cut; empty where nothing does. */
  found!: (string | number | boolean | null)[];
}

export class ExplainedFilterDto {
  filterId!: string;
  name!: string;
  matched!: boolean;
  clauses!: ClauseDto[];
}

export class DeliveryPreviewDto {
  endpointId!: string;
  name!: string;
  type!: string;
  url!: string;
  /** As an attempt at this moment sends them; what is a credential shows `***`. */
  headers!: Record<string, string>;
  /** The first 65,536 bytes. */
  body!: string | null;
  /** `base64` where it is no UTF-8. */
  bodyEncoding!: 'utf8' | 'base64' | null;
  /** Of the whole body. */
  bodyBytes!: number;
  /** Why no request can be shown, such as `secret_unreadable`; null when nothing is wrong. */
  problem!: string | null;
}

export class ExplanationDto {
  /** Filters of the event's account, in the order they were made. */
  filters!: ExplainedFilterDto[];
  /** Ask with `?cursor=` for the next filters; null on the last page. */
  nextCursor!: string | null;
  /** What would be sent, to the first twenty endpoints. */
  deliveries!: DeliveryPreviewDto[];
  /** How many there would be. */
  deliveryCount!: number;
}

export class BacktestFilterDto extends CreateFilterDto {
  /** Of the filter that it would change; left out: it would be a new one. */
  @IsOptional()
  @IsString()
  id?: string | null;
}

export class BacktestDto {
  /** A filter as it would be made or, with an `id`, the fields that would be changed. */
  @IsObject()
  @ValidateNested()
  @Type(() => BacktestFilterDto)
  filter!: BacktestFilterDto;

  /** Only events stored at or after this time, ISO 8601. */
  @IsOptional()
  @IsISO8601({ strict: true })
  since?: string;

  /** How many of the last events to look at; left out: 1,000. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(10_000)
  limit?: number;
}

export class BacktestEventDto {
  id!: string;
  application!: string;
  eventType!: string;
  level!: string | null;
}

export class BacktestDifferenceDto {
  count!: number;
  /** The newest twenty. */
  examples!: BacktestEventDto[];
}

export class BacktestResultDto {
  /** Events looked at, the newest first. */
  examined!: number;
  /** True when those are all since `since`; false when `limit` or the time allowed (10 s) ended it. */
  complete!: boolean;
  /** What it would have matched. */
  matched!: BacktestDifferenceDto;
  /** Of these, what it does not match as it is now. */
  added!: BacktestDifferenceDto;
  /** What it matches now, and would no more. */
  removed!: BacktestDifferenceDto;
}
