import { IsBoolean, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import { ConfigSection } from '../config/config-section';
import { Secret } from '../config/secret';

@ConfigSection('database')
export class DatabaseConfig {
  @Secret()
  @IsOptional()
  @Matches(/^postgres(ql)?:\/\//, { message: 'a URL that begins with postgres:// or postgresql://' })
  readonly url!: string | null;

  @IsInt()
  @Min(1)
  @Max(500)
  readonly poolSize!: number;

  @IsBoolean()
  readonly preparedStatements!: boolean;
}
