import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { AffinityServer } from '../affinity/affinity-server';
import { AffinitySessions } from '../affinity/sessions';
import { Recent } from '../metrics/recent';

/** Without its sessions the affinity proxy still passes requests on; without its port it cannot. */
@Injectable()
export class AffinityHealth {
  private readonly isReadable: Recent<boolean>;

  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly server: AffinityServer,
    sessions: AffinitySessions,
  ) {
    this.isReadable = new Recent(() => sessions.probe(), false, { maxAgeMs: 1_000, timeLimitMs: 2_000 });
  }

  /** Nothing where the proxy is off. */
  async check(): Promise<HealthIndicatorResult> {
    if (!this.server.isEnabled) return {};
    const indicator = this.indicators.check('affinity');
    if (this.server.port === undefined) return indicator.down({ reason: 'its port is not open' });
    return (await this.isReadable.get()) ? indicator.up() : indicator.up({ degraded: 'sessions cannot be read' });
  }
}
