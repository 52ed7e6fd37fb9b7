import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module';
import { MetricsModule } from '../metrics/metrics.module';
import { PlainRows } from '../secrets/plain-rows';
import { SecretsModule } from '../secrets/secrets.module';
import { StorageModule } from '../storage/storage.module';
import { DeliveriesController } from './delivery/deliveries.controller';
import { DeliveriesRepository } from './delivery/deliveries.repository';
import { DeliveryActions } from './delivery/delivery-actions';
import { DeliveryList } from './delivery/delivery-list';
import { DeliveryModule } from './delivery/delivery.module';
import { EgressModule } from './delivery/egress/egress.module';
import { DispatcherModule } from './dispatcher.module';
import { BacktestService } from './explain/backtest.service';
import { DeliveryPreview } from './explain/delivery-preview';
import { ExplainController } from './explain/explain.controller';
import { ExplainService } from './explain/explain.service';
import { EventPublisher } from './outbox/event-publisher';
import { EventsController } from './outbox/events.controller';
import { EventsRepository } from './outbox/events.repository';
import { ForgottenKeys } from './outbox/forgotten-keys';
import { IdempotencyRepository } from './outbox/idempotency.repository';
import { AccountsController } from './registry/accounts.controller';
import { AccountsRepository } from './registry/accounts.repository';
import { EndpointsController } from './registry/endpoints.controller';
import { EndpointsRepository } from './registry/endpoints.repository';
import { EndpointsService } from './registry/endpoints.service';
import { FiltersController } from './registry/filters.controller';
import { FiltersRepository } from './registry/filters.repository';
import { FiltersService } from './registry/filters.service';
import { IdentitiesController } from './registry/identities.controller';
import { IdentitiesRepository } from './registry/identities.repository';
import { OldSecrets } from './registry/old-secrets';
import { RegistryChange } from './registry/registry-change';

/** What people and programs do over /api/v1 with accounts, endpoints, filters, events and deliveries. */
@Module({
  imports: [AuthModule, DeliveryModule, DispatcherModule, EgressModule, MetricsModule, SecretsModule, StorageModule],
  controllers: [
    AccountsController,
    IdentitiesController,
    EndpointsController,
    FiltersController,
    EventsController,
    DeliveriesController,
    ExplainController,
  ],
  providers: [
    AccountsRepository,
    BacktestService,
    DeliveriesRepository,
    DeliveryActions,
    DeliveryList,
    DeliveryPreview,
    EndpointsRepository,
    EndpointsService,
    EventPublisher,
    EventsRepository,
    ExplainService,
    FiltersRepository,
    FiltersService,
    ForgottenKeys,
    IdempotencyRepository,
    IdentitiesRepository,
    OldSecrets,
    PlainRows,
    RegistryChange,
  ],
  exports: [AccountsRepository, RegistryChange],
})
export class RestApiModule {}
