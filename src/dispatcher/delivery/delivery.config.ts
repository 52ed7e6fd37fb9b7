import { ArrayMaxSize, IsArray, IsInt, IsNumber, Max, Min } from 'class-validator';
import { ConfigSection } from '../../config/config-section';

@ConfigSection('delivery')
export class DeliveryConfig {
  @IsInt()
  @Min(1)
  @Max(10_000)
  readonly concurrency!: number;

  @IsInt()
  @Min(1)
  @Max(10_000)
  readonly maxInFlightPerEndpoint!: number;

  @IsInt()
  @Min(1_048_576)
  readonly maxInFlightBytes!: number;

  /** 0: circuits never open. */
  @IsInt()
  @Min(0)
  @Max(10_000)
  readonly circuitMinAttempts!: number;

  @IsInt()
  @Min(100)
  @Max(600_000)
  readonly timeoutMs!: number;

  @IsInt()
  @Min(100)
  @Max(60_000)
  readonly connectTimeoutMs!: number;

  @IsArray()
  @ArrayMaxSize(50)
  @IsNumber({ maxDecimalPlaces: 3 }, { each: true })
  @Min(0, { each: true })
  @Max(2_592_000, { each: true })
  readonly retrySchedule!: number[];

  @IsInt()
  @Min(10)
  @Max(60_000)
  readonly pullIntervalMs!: number;

  @IsInt()
  @Min(100)
  @Max(60_000)
  readonly sweepIntervalMs!: number;

  @IsInt()
  @Min(0)
  @Max(600_000)
  readonly drainMs!: number;
}
