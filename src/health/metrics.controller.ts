import { type CanActivate, Controller, type ExecutionContext, Get, Header, Injectable, UseGuards } from '@nestjs/common';
import { ApiProduces, ApiTags } from '@nestjs/swagger';
import { ApiKeyGuard } from '../auth/api-key.guard';
import { MetricsConfig } from '../metrics/metrics.config';
import { Metrics } from '../metrics/metrics.service';
import { Gauges } from './gauges.service';

/** Asks for an API key where `metrics.requireKey` says so. */
@Injectable()
export class MetricsKeyGuard implements CanActivate {
  constructor(
    private readonly config: MetricsConfig,
    private readonly keys: ApiKeyGuard,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    return !this.config.requireKey || this.keys.canActivate(context);
  }
}

@ApiTags('operations')
@Controller('metrics')
export class MetricsController {
  constructor(
    private readonly metrics: Metrics,
    private readonly gauges: Gauges,
  ) {}

  /** Prometheus text. */
  @Get()
  @UseGuards(MetricsKeyGuard)
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiProduces('text/plain')
  async scrape(): Promise<string> {
    await this.gauges.refresh();
    return this.metrics.registry.metrics();
  }
}
