import { IsBoolean, IsInt, Max, Min } from 'class-validator';
import { ConfigSection } from '../config/config-section';

@ConfigSection('threads')
export class ThreadsConfig {
  @IsBoolean()
  readonly enabled!: boolean;

  @IsInt()
  @Min(1)
  @Max(3_650)
  readonly retentionDays!: number;
}
