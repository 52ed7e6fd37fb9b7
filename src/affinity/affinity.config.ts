import { IsArray, IsBoolean, IsIn, IsInt, IsNotEmpty, IsOptional, IsString, Matches, Max, Min, ValidateIf } from 'class-validator';
import { ConfigSection } from '../config/config-section';
import { Secret } from '../config/secret';

const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
const ORIGIN = /^https?:\/\/[^\s/?#@]+\/?$/i;

@ConfigSection('affinity')
export class AffinityConfig {
  @IsBoolean()
  readonly enabled!: boolean;

  @IsOptional()
  @IsString()
  @IsNotEmpty()
  readonly host!: string | null;

  @IsInt()
  @Min(0)
  @Max(65_535)
  readonly port!: number;

  /** Its short name TARGET_URL is a common one: whose proxy is off may mean something else by it. */
  @ValidateIf((config: AffinityConfig) => config.enabled)
  @Matches(ORIGIN, { message: 'http://host, https://host or either with a port, without a path (TARGET_URL)' })
  readonly targetUrl!: string | null;

  @IsIn(['cookie', 'header'])
  readonly mode!: 'cookie' | 'header';

  @Matches(TOKEN, { message: 'the name of a header' })
  readonly headerName!: string;

  @Matches(/^[^.]+(\.[^.]+)*$/, { message: 'names separated by dots' })
  readonly actorPath!: string;

  @Matches(TOKEN, { message: 'the name of a cookie' })
  readonly cookieName!: string;

  @IsOptional()
  @IsString()
  @IsNotEmpty()
  readonly botPersonId!: string | null;

  /** Several while a secret is being changed: a signature by any of them counts. */
  @Secret()
  @IsArray()
  @IsString({ each: true })
  @IsNotEmpty({ each: true })
  readonly secret!: readonly string[];

  /** Seconds. */
  @IsInt()
  @Min(1)
  @Max(34_560_000)
  readonly ttl!: number;

  @IsInt()
  @Min(100)
  @Max(600_000)
  readonly timeoutMs!: number;
}
