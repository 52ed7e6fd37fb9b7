import { IsBoolean } from 'class-validator';
import { ConfigSection } from '../config/config-section';

@ConfigSection('metrics')
export class MetricsConfig {
  @IsBoolean()
  readonly requireKey!: boolean;
}
