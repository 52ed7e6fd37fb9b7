import { IsBoolean, IsInt, IsOptional, IsUrl, Max, Min } from 'class-validator';
import { ConfigSection } from '../config/config-section';
import { Secret } from '../config/secret';

@ConfigSection('database')
export class DatabaseConfig {
  @Secret()
  @IsOptional()
  @IsUrl({ protocols: ['postgres', 'postgresql'], require_protocol: true, require_tld: false, require_valid_protocol: true })
  readonly url!: string | null;

  @IsInt()
  @Min(1)
  @Max(500)
  readonly poolSize!: number;

  @IsBoolean()
  readonly preparedStatements!: boolean;
}
