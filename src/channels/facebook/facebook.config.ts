import { Type } from 'class-transformer';
import { IsArray, IsBoolean, IsInt, IsNotEmpty, IsOptional, IsString, Max, Min, ValidateNested } from 'class-validator';
import { ConfigSection } from '../../config/config-section';
import { Secret } from '../../config/secret';

export class FacebookWorkerCount {
  @IsInt()
  @Min(1)
  @Max(64)
  readonly default!: number;

  @IsInt()
  @Min(1)
  @Max(64)
  readonly spam!: number;

  @IsInt()
  @Min(1)
  @Max(64)
  readonly special!: number;
}

@ConfigSection('hookServer.facebook')
export class FacebookConfig {
  @IsBoolean()
  readonly enabled!: boolean;

  @IsBoolean()
  readonly processEnabled!: boolean;

  /** Several while a secret is being changed: a signature by any of them counts. */
  @Secret()
  @IsArray()
  @IsString({ each: true })
  @IsNotEmpty({ each: true })
  readonly appSecret!: readonly string[];

  @Secret()
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  readonly verifyToken!: string | null;

  @ValidateNested()
  @Type(() => FacebookWorkerCount)
  readonly workerCount!: FacebookWorkerCount;

  /** Events of one page in 30 minutes. */
  @IsInt()
  @Min(1)
  readonly spamThreshold!: number;

  @IsArray()
  @IsString({ each: true })
  @IsNotEmpty({ each: true })
  readonly specialPages!: readonly string[];
}
