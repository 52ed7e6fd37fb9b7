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
  @Max(1_048_576)
  readonly maxBodyBytes!: number;
}
