import { IsBoolean, IsInt, Max, Min } from 'class-validator';
import { ConfigSection } from '../config/config-section';

@ConfigSection('sources')
export class SourcesConfig {
  @IsBoolean()
  readonly processEnabled!: boolean;

  @IsInt()
  @Min(1)
  @Max(64)
  readonly workerCount!: number;

  /** URLs of token webhooks hold an access token, as the original's do. */
  @IsBoolean()
  readonly legacyApiToken!: boolean;
}
