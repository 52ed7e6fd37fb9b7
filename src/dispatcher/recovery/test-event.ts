import { Inject, Injectable } from '@nestjs/common';
import { GatewayError } from '../../core/errors';
import { newId } from '../../core/ids';
import { Storage } from '../../storage/storage';
import { DeliveryRunner } from '../delivery/delivery-runner';
import { LedgerTally, recordDelta } from '../ledger-delta';
import { Outbound, type Runner } from '../outbound';
import type { EndpointRecord } from '../registry/endpoint-record';
import { EndpointsRepository } from '../registry/endpoints.repository';
import { noSuchEndpoint } from '../registry/endpoints.service';
import { assertNotManaged } from '../registry/managed-endpoint';
import { RegistryVersion } from '../../storage/registry-version';
import type { StoredEvent } from '../stored-event';

/** The ledger's source of examples. */
export const TEST_SOURCE = 'test';

/** What an example says where the caller gives nothing else; docs/api.md shows it. */
export const EXAMPLE = {
  application: 'hookline',
  eventType: 'test',
  message: Buffer.from('{"text":"This is an example. Nothing has happened."}'),
};

export interface TestEvent {
  application: string | undefined;
  eventType: string | undefined;
  /** JSON text, sent byte for byte. */
  message: Buffer | undefined;
}

export interface SentTest {
  eventId: string;
  deliveryId: string;
}

/** Sends an example to one endpoint, whatever its filters say, by the way that every event goes. */
@Injectable()
export class TestEvents {
  constructor(
    private readonly storage: Storage,
    private readonly endpoints: EndpointsRepository,
    private readonly version: RegistryVersion,
    @Inject(DeliveryRunner) private readonly runner: Runner,
  ) {}

  /** @throws GatewayError `not_found`, `conflict` for a disabled endpoint and for one of the settings. */
  async send(endpointId: string, account: string | null, test: TestEvent, requestId: string): Promise<SentTest> {
    const endpoint = await this.endpoints.find(endpointId, account);
    if (!endpoint) throw noSuchEndpoint(endpointId);
    assertNotManaged(endpoint);
    if (!endpoint.enabled) throw new GatewayError('conflict', 'The endpoint is disabled; enable it first');
    // The delivery goes by this process's registry, which may not know yet what another one has changed.
    await this.version.changed();
    const nowMs = Date.now();
    const event = eventOf(endpoint, test, requestId, nowMs);
    const toEndpoint = { match: () => ({ endpoints: [endpoint], disabledOnly: false }) };
    let outbound = new Outbound(this.runner, toEndpoint, nowMs);
    try {
      await this.storage.transaction(async (trx) => {
        outbound.abandon();
        outbound = new Outbound(this.runner, toEndpoint, nowMs);
        const tally = new LedgerTally();
        tally.accept(TEST_SOURCE, outbound.add(event));
        await this.storage.insertMany(trx, 'events', outbound.events);
        await this.storage.insertMany(trx, 'deliveries', outbound.deliveries);
        await recordDelta(trx, tally);
      });
    } catch (error) {
      outbound.abandon();
      throw error;
    }
    const [delivery] = outbound.deliveries;
    outbound.send();
    if (!delivery) throw new Error('An example got no delivery');
    return { eventId: event.id, deliveryId: delivery.id };
  }
}

function eventOf(endpoint: EndpointRecord, test: TestEvent, requestId: string, nowMs: number): StoredEvent {
  const data = test.message ?? EXAMPLE.message;
  return {
    id: newId(),
    accountId: endpoint.accountId,
    source: TEST_SOURCE,
    application: test.application ?? EXAMPLE.application,
    eventType: test.eventType ?? EXAMPLE.eventType,
    level: null,
    timestamp: new Date(nowMs).toISOString(),
    receivedAt: nowMs,
    requestId,
    context: null,
    data,
    body: data,
    contentType: 'application/json',
  };
}
