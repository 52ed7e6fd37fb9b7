import { IsArray, IsIn, IsInt, IsNotEmpty, IsOptional, IsString, IsUrl, Max, Min } from 'class-validator';
import { ConfigSection } from './config-section';
import { IsRange } from './is-range';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

@ConfigSection('')
export class AppConfig {
  @IsString()
  @IsNotEmpty()
  readonly dataDir!: string;

  @IsIn(LOG_LEVELS)
  readonly logLevel!: (typeof LOG_LEVELS)[number];

  @IsIn(['text', 'json'])
  readonly logFormat!: 'text' | 'json';
}

const URL_RULE = { require_tld: false, protocols: ['http', 'https'], require_protocol: true };

@ConfigSection('hookServer')
export class ServerConfig {
  /** 0 takes a free port. */
  @IsInt()
  @Min(0)
  @Max(65_535)
  readonly port!: number;

  @IsString()
  @IsNotEmpty()
  readonly host!: string;

  @IsOptional()
  @IsUrl(URL_RULE)
  readonly publicUrl!: string | null;

  @IsOptional()
  @IsUrl({ ...URL_RULE, disallow_auth: true })
  readonly webApiUrl!: string | null;

  @IsInt()
  @Min(0)
  @Max(600_000)
  readonly shutdownDelayMs!: number;

  @IsInt()
  @Min(1_000)
  @Max(600_000)
  readonly shutdownDeadlineMs!: number;
}

@ConfigSection('http')
export class HttpConfig {
  @IsInt()
  @Min(1_024)
  @Max(104_857_600)
  readonly maxBodyBytes!: number;

  @IsInt()
  @Min(100)
  readonly headersTimeoutMs!: number;

  @IsInt()
  @Min(100)
  readonly requestTimeoutMs!: number;

  @IsInt()
  @Min(100)
  readonly keepAliveTimeoutMs!: number;

  @IsInt()
  @Min(1)
  readonly maxConnections!: number;

  /** Whose word counts on who sent a request. */
  @IsArray()
  @IsRange()
  readonly trustedProxies!: readonly string[];
}
