import { IsArray, IsBoolean, IsIn, IsInt, IsNotEmpty, IsOptional, IsString, IsUrl, Matches, Max, Min } from 'class-validator';
import { ConfigSection } from '../../config/config-section';
import { Secret } from '../../config/secret';

const DAY_S = 86_400;

@ConfigSection('hookServer.twitter')
export class TwitterConfig {
  @IsBoolean()
  readonly enabled!: boolean;

  @IsBoolean()
  readonly processEnabled!: boolean;

  @IsInt()
  @Min(1)
  @Max(64)
  readonly workerCount!: number;

  /** The app's API key; not secret, but of no use without the rest. */
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  readonly consumerKey!: string | null;

  /** Several while it is being changed: a signature by any of them counts; the first answers checks and signs calls. */
  @Secret()
  @IsArray()
  @IsString({ each: true })
  @IsNotEmpty({ each: true })
  readonly consumerSecret!: readonly string[];

  @Secret()
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  readonly bearerToken!: string | null;

  /** Of the user that owns the app: v1.1 wants its signature on webhooks. */
  @Secret()
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  readonly accessToken!: string | null;

  @Secret()
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  readonly accessTokenSecret!: string | null;

  /** Seconds. */
  @IsInt()
  @Min(1)
  @Max(DAY_S)
  readonly sleepAfterError!: number;

  /** Seconds. */
  @IsInt()
  @Min(1)
  @Max(DAY_S)
  readonly subscribeInterval!: number;

  @IsInt()
  @Min(0)
  @Max(100_000)
  readonly maxSubscribers!: number;

  /** Ids of accounts. */
  @IsArray()
  @IsString({ each: true })
  @IsNotEmpty({ each: true })
  readonly priorityCompanies!: readonly string[];

  @Matches(/^[A-Za-z0-9_-]{1,64}$/, { message: 'the label of an environment: 1 to 64 letters, digits, - or _' })
  readonly envName!: string;

  @IsIn(['v1.1', 'v2'])
  readonly api!: 'v1.1' | 'v2';

  /** Null: the platform's own. */
  @IsOptional()
  @IsUrl({ require_tld: false, protocols: ['http', 'https'], require_protocol: true })
  readonly apiUrl!: string | null;
}
