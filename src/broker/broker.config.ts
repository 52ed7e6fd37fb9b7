import { IsInt, IsOptional, IsString, Matches, Max, Min } from 'class-validator';
import { ConfigSection } from '../config/config-section';
import { Secret } from '../config/secret';

@ConfigSection('broker')
export class BrokerConfig {
  /** `amqp://user:password@host:port/vhost`, several by commas; null: see RabbitMqConfig, else the embedded broker. */
  @Secret()
  @IsOptional()
  @Matches(/^\s*amqps?:\/\/[^\s,]+(\s*,\s*amqps?:\/\/[^\s,]+)*\s*$/, {
    message: 'URLs that begin with amqp:// or amqps://, separated by commas',
  })
  readonly url!: string | null;

  @IsInt()
  @Min(100)
  @Max(60_000)
  readonly publishTimeoutMs!: number;

  @IsInt()
  @Min(100)
  @Max(60_000)
  readonly connectTimeoutMs!: number;

  @IsInt()
  @Min(1_000)
  @Max(60_000)
  readonly reconnectMs!: number;

  @IsInt()
  @Min(1_000)
  @Max(600_000)
  readonly heartbeatMs!: number;

  @IsInt()
  @Min(1_000)
  @Max(600_000)
  readonly watchIntervalMs!: number;

  @IsInt()
  @Min(0)
  @Max(60_000)
  readonly bootWaitMs!: number;
}

/** The older way to name RabbitMQ: hosts and one account. `broker.url` wins. */
@ConfigSection('statementsQueue.rabbitmq')
export class RabbitMqConfig {
  /** `host` or `host:port`; empty: not RabbitMQ. */
  @IsString({ each: true })
  readonly hosts!: readonly string[];

  @IsString()
  readonly username!: string;

  @Secret()
  @IsString()
  readonly password!: string;
}

/** Where RabbitMQ is, in order of preference; empty for the embedded broker. */
export function rabbitServers(broker: Pick<BrokerConfig, 'url'>, rabbitMq: RabbitMqConfig): string[] {
  if (broker.url !== null && broker.url !== undefined) return broker.url.split(',').map((url) => url.trim());
  const account = `${encodeURIComponent(rabbitMq.username)}:${encodeURIComponent(rabbitMq.password)}`;
  return rabbitMq.hosts
    .map((host) => host.trim())
    .filter((host) => host !== '')
    .map((host) => `amqp://${account}@${host}`);
}
