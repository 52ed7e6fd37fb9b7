import { readFileSync } from 'node:fs';
import type { ClientOptions } from '@elastic/elasticsearch';
import { IsBoolean, IsInt, IsNotEmpty, IsOptional, IsString, Matches, Max, Min } from 'class-validator';
import { ConfigSection } from '../../config/config-section';
import { Secret } from '../../config/secret';

@ConfigSection('elasticsearch')
export class ElasticsearchConfig {
  /** Several by commas; null: see `host`. */
  @Secret()
  @IsOptional()
  @Matches(/^\s*https?:\/\/[^\s,]+(\s*,\s*https?:\/\/[^\s,]+)*\s*$/, {
    message: 'URLs that begin with http:// or https://, separated by commas',
  })
  readonly url!: string | null;

  /** Host names or addresses; empty, without `url`: the threads are in the storage. */
  @IsString({ each: true })
  @Matches(/^[\w.:[\]-]+$/, { each: true, message: 'host names or addresses' })
  readonly host!: readonly string[];

  @IsInt()
  @Min(1)
  @Max(65_535)
  readonly httpPort!: number;

  /** Of the transport protocol, which no client speaks any more; read and left alone. */
  @IsInt()
  @Min(1)
  @Max(65_535)
  readonly port!: number;

  @IsOptional()
  @IsString()
  @IsNotEmpty()
  readonly clusterName!: string | null;

  @IsBoolean()
  readonly secure!: boolean;

  @IsOptional()
  @IsString()
  @IsNotEmpty()
  readonly username!: string | null;

  @Secret()
  @IsOptional()
  @IsString()
  readonly password!: string | null;

  @IsOptional()
  @IsString()
  @IsNotEmpty()
  readonly certificatePath!: string | null;
}

/** One request, with all its tries. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Where Elasticsearch is and how to reach it; undefined where the settings name none. @throws Error when the certificate cannot be read. */
export function clientOptions(config: ElasticsearchConfig): ClientOptions | undefined {
  const nodes = nodesOf(config);
  if (nodes.length === 0) return undefined;
  const { username, password, certificatePath } = config;
  return {
    nodes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // One other node is tried; the queue has the patience, not the client.
    maxRetries: nodes.length > 1 ? 1 : 0,
    ...(username !== null && { auth: { username, password: password ?? '' } }),
    ...(certificatePath !== null && { tls: { ca: readFileSync(certificatePath) } }),
  };
}

function nodesOf({ url, host, httpPort, secure }: ElasticsearchConfig): string[] {
  if (url !== null) return url.split(',').map((part) => part.trim());
  return host.map((name) => `${secure ? 'https' : 'http'}://${name}:${httpPort}`);
}
