import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  HealthCheck,
  HealthCheckService,
  type HealthCheckResult,
  type HealthIndicatorResult,
  HealthIndicatorService,
} from '@nestjs/terminus';
import { Broker } from '../broker/broker';
import { Draining } from '../http/draining';
import { Recent } from '../metrics/recent';
import { Storage } from '../storage/storage';
import { AffinityHealth } from './affinity-health';
import { ThreadHealth } from './thread-health';

@ApiTags('operations')
@Controller('health')
export class HealthController {
  private readonly storageWrites: Recent<boolean>;

  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly broker: Broker,
    private readonly draining: Draining,
    private readonly storage: Storage,
    private readonly threads: ThreadHealth,
    private readonly affinity: AffinityHealth,
  ) {
    this.storageWrites = new Recent(() => storage.probe(), false, { maxAgeMs: 1_000, timeLimitMs: 2_000 });
  }

  /** The event loop turns; nothing else is asked, since a restart would not bring a broker back. */
  @Get('live')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** Webhooks can be taken in here and are kept for good. */
  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([
      () => this.process(),
      () => this.brokerUsable(),
      () => this.storageWritable(),
      () => this.threads.check(),
      () => this.affinity.check(),
    ]);
  }

  private process(): HealthIndicatorResult {
    const indicator = this.indicators.check('process');
    return this.draining.isDraining ? indicator.down({ reason: 'shutting down' }) : indicator.up();
  }

  private brokerUsable(): HealthIndicatorResult {
    const indicator = this.indicators.check('broker');
    const { ready, reason } = this.broker.status();
    return ready ? indicator.up() : indicator.down({ reason: reason ?? 'not ready' });
  }

  /**
   * All replicas share one PostgreSQL: were they not ready without it, webhooks would be refused that the broker can keep. The
   * embedded store lies on the same disk as the embedded broker.
   */
  private async storageWritable(): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check('storage');
    if (await this.storageWrites.get()) return indicator.up();
    const reason = 'a write does not commit';
    return this.storage.engine === 'postgres' ? indicator.up({ degraded: reason }) : indicator.down({ reason });
  }
}
