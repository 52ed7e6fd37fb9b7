import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  IsBoolean,
  IsInt,
  IsISO8601,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { ACCOUNT_ID, ACCOUNT_ID_RULE } from '../../core/account-id';

const NAME = /^\P{Cc}{1,200}$/u;
const APPLICATION = /^\P{Cc}{1,128}$/u;
const MEDIA_TYPE = /^[\w.+-]{1,64}\/[\w.+-]{1,64}(; ?[\w-]{1,32}=[\w.-]{1,64}){0,4}$/;

export class SourceResponseDto {
  /** 200 when it is left out. */
  @IsOptional()
  @IsInt()
  @Min(200)
  @Max(299)
  status?: number | null;

  /** `text/plain; charset=utf-8` when it is left out. */
  @IsOptional()
  @IsString()
  @Matches(MEDIA_TYPE, { message: 'must be a media type such as application/json' })
  contentType?: string | null;

  /** Empty when it is left out. */
  @IsOptional()
  @IsString()
  @MaxLength(4_096)
  body?: string | null;
}

/** What creating and changing have in common; null is the default. */
class SourceFieldsDto {
  /** Where the type of an event stands that its preset does not name: `header:<name>`, or `body:<path>` with a path such as `event.type`. */
  @IsOptional()
  @IsString()
  @MaxLength(512)
  eventTypeFrom?: string | null;

  /** What senders are answered once their request is stored. Null: an empty 200. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => SourceResponseDto)
  response?: SourceResponseDto | null;

  /** While it is disabled its URL answers 404. */
  @IsOptional()
  @IsBoolean()
  enabled?: boolean | null;
}

/** Fields that are left out stay as they are; null sets one back to its default. */
export class UpdateSourceDto extends SourceFieldsDto {
  @ValidateIf((source: UpdateSourceDto) => source.name !== undefined)
  @Matches(NAME, { message: 'must have 1 to 200 characters and no control characters' })
  name?: string;

  /** Counts for what comes in from now on. */
  @ValidateIf((source: UpdateSourceDto) => source.application !== undefined)
  @Matches(APPLICATION, { message: 'must have 1 to 128 characters and no control characters' })
  application?: string;

  /** Of the same `type` (which may be left out), fields that are left out stay as they are, secrets too; of another one it is made anew. */
  @ValidateIf((source: UpdateSourceDto) => source.verification !== undefined)
  @IsObject()
  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  verification?: Record<string, unknown>;
}

export class CreateSourceDto extends SourceFieldsDto {
  /** Left out: the key's account, `default` for an admin key. */
  @IsOptional()
  @Matches(ACCOUNT_ID, { message: ACCOUNT_ID_RULE })
  accountId?: string | null;

  @Matches(NAME, { message: 'must have 1 to 200 characters and no control characters' })
  name!: string;

  /** Of its events. */
  @Matches(APPLICATION, { message: 'must have 1 to 128 characters and no control characters' })
  application!: string;

  /** How its requests are checked: `type`, and the fields of that type (docs/presets.md). */
  @IsObject()
  @ApiProperty({ type: 'object', additionalProperties: true, example: { type: 'github' } })
  verification!: Record<string, unknown>;
}

export class RotateSourceSecretDto {
  /** The new secret. Made by the gateway when it is left out, where the sender's side lets its user choose it. */
  @IsOptional()
  @IsString()
  secret?: string | null;

  /** Until when requests signed with the old secret are let in as well, ISO 8601; at most 30 days from now, 24 hours when it is left out. */
  @IsOptional()
  @IsISO8601({ strict: true })
  previousSecretUntil?: string | null;
}

export class RotateUrlDto {
  /** Until when the old URL works as well, ISO 8601; at most 30 days from now, 24 hours when it is left out. */
  @IsOptional()
  @IsISO8601({ strict: true })
  previousUrlUntil?: string | null;
}

export class ShownResponseDto {
  status!: number;
  contentType!: string;
  body!: string;
}

export class SourceDto {
  id!: string;
  accountId!: string;
  name!: string;
  application!: string;

  /** Where its requests go. Who knows it may try to send: treat it as a password. Null when `fault` is `secret_unreadable`. */
  url!: string | null;
  /** What `url` lacks: it is the path alone while hookServer.publicUrl is not set; and what must be set for its requests. Else null. */
  urlNote!: string | null;
  enabled!: boolean;

  @ApiProperty({ type: 'object', additionalProperties: true, description: '`type` and its fields; secrets are left out' })
  verification!: Record<string, unknown>;

  /** Whether there is a secret that requests are checked with. */
  hasSecret!: boolean;
  /** Until when the old secret counts as well, ISO 8601; null outside of a rotation. */
  previousSecretUntil!: string | null;
  /** Until when the old URL works as well, ISO 8601; null outside of a rotation. */
  previousUrlUntil!: string | null;
  eventTypeFrom!: string | null;

  @ApiProperty({ type: ShownResponseDto, nullable: true, description: 'Null: an empty 200' })
  response!: ShownResponseDto | null;

  /**
   * Why requests cannot be checked. `secret_unreadable`: no key opens its secrets; `channel_not_configured`: its sender signs the URL, which
   * is not known (`urlNote`). Else null.
   */
  fault!: string | null;
  createdAt!: string;
  updatedAt!: string;
}

/** The answer of create and rotate-secret, and of a change that made a new secret: the only ones with it. */
export class SourceWithSecretDto extends SourceDto {
  /** What the sender signs or presents. Shown here only; absent where there is none. */
  secret?: string;
}

export class SourceListDto {
  data!: SourceDto[];
  /** Ask with `?cursor=` for the next page; null on the last one. */
  nextCursor!: string | null;
}
