import { Injectable } from '@nestjs/common';
import type { Transaction } from 'kysely';
import type { DispatchOutcome, IncomingRequest } from '../core/hook-event';
import { Metrics } from '../metrics/metrics.service';
import type { Schema } from '../storage/schema';
import { Storage } from '../storage/storage';
import { DeliveryRunner } from './delivery/delivery-runner';
import { RegistryService } from './registry/registry.service';

export interface DispatchOptions {
  /** Runs in the dispatch's own transaction, last; may run again when the transaction is tried again. */
  within?: (trx: Transaction<Schema>, outcomes: DispatchOutcome[][]) => Promise<void>;
}

/** Takes groups of accepted requests: matches their events and stores, in one transaction, all that follows from them. */
@Injectable()
export class DispatcherService {
  constructor(
    private readonly storage: Storage,
    private readonly registry: RegistryService,
    private readonly runner: DeliveryRunner,
    private readonly metrics: Metrics,
  ) {}

  /**
   * @returns for each request one outcome an event, in order.
   * @throws GatewayError `storage_unavailable`; then nothing was written.
   */
  dispatch(_requests: readonly IncomingRequest[], _options: DispatchOptions = {}): Promise<DispatchOutcome[][]> {
    return Promise.reject(new Error('not built yet'));
  }

  /** Counts a message that can never be read, once for each request id: accepted and dead. @throws `storage_unavailable`. */
  recordPoison(_source: string, _requestId: string): Promise<void> {
    return Promise.reject(new Error('not built yet'));
  }
}
