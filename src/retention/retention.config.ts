import { IsInt, Max, Min } from 'class-validator';
import { ConfigSection } from '../config/config-section';

@ConfigSection('retention')
export class RetentionConfig {
  /** Of events with their payloads, deliveries and attempts. */
  @IsInt()
  @Min(1)
  @Max(3_650)
  readonly days!: number;
}
