import { Module } from '@nestjs/common';
import { provideConfig } from '../../config/provide-config';
import { MetricsModule } from '../../metrics/metrics.module';
import { StorageModule } from '../../storage/storage.module';
import { FollowUps } from '../operational/follow-ups';
import { OperationalEvents } from '../operational/operational-events';
import { RegistryModule } from '../registry/registry.module';
import { Attempter } from './attempter';
import { Backlog } from './backlog';
import { DeliveryRunner } from './delivery-runner';
import { DeliverySlots } from './delivery-slots';
import { DeliveryConfig } from './delivery.config';
import { DeliveryLifecycle } from './delivery.lifecycle';
import { DueClaimer } from './due-claimer';
import { EgressModule } from './egress/egress.module';
import { EndpointHealth } from './endpoint-health';
import { HttpSender } from './http/http-sender';
import { LeaseKeeper } from './lease-keeper';
import { Circuits } from './limits/circuits';
import { ExplicitLimits } from './limits/explicit-limits';
import { LiveProcesses } from './limits/live-processes';
import { Puller } from './puller';
import { RequestBuilders } from './request-builders';
import { Settler } from './settler';

@Module({
  imports: [StorageModule, MetricsModule, RegistryModule, EgressModule],
  providers: [
    provideConfig(DeliveryConfig),
    Attempter,
    Backlog,
    Circuits,
    DeliveryLifecycle,
    DeliveryRunner,
    DeliverySlots,
    DueClaimer,
    EndpointHealth,
    ExplicitLimits,
    FollowUps,
    HttpSender,
    LeaseKeeper,
    LiveProcesses,
    OperationalEvents,
    Puller,
    RequestBuilders,
    Settler,
  ],
  exports: [Backlog, Circuits, DeliveryRunner, FollowUps, LiveProcesses, OperationalEvents, RequestBuilders],
})
export class DeliveryModule {}
