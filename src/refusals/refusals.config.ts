import { IsInt, Max, Min } from 'class-validator';
import { ConfigSection } from '../config/config-section';

@ConfigSection('refusals')
export class RefusalsConfig {
  @IsInt()
  @Min(100)
  @Max(10_000_000)
  readonly maxRows!: number;

  @IsInt()
  @Min(1)
  @Max(3_650)
  readonly retentionDays!: number;

  @IsInt()
  @Min(0)
  @Max(1_073_741_824)
  readonly maxBodyBytes!: number;

  @IsInt()
  @Min(10)
  @Max(10_000_000)
  readonly maxRowsPerSource!: number;

  @IsInt()
  @Min(0)
  @Max(1_099_511_627_776)
  readonly maxBytesPerSource!: number;
}
