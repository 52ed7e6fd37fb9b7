import { Injectable, Logger } from '@nestjs/common';
import { GatewayError, isOutage } from '../../core/errors';
import { Metrics } from '../../metrics/metrics.service';
import { endpointLabel } from '../registry/endpoint-label';
import type { EndpointRecord } from '../registry/endpoint-record';
import { RegistryService } from '../registry/registry.service';
import type { DeliveryJob } from './delivery-job';
import { DeliveryConfig } from './delivery.config';
import type { AttemptResult } from './http/attempt';
import { HttpSender, type OutgoingRequest, notSent } from './http/http-sender';
import type { Outcome, OutcomeDelivery } from './outcome';
import { requestOf } from './outgoing-request';
import { RequestBuilders, UnsendableError } from './request-builders';
import { type PipelineFault, type Verdict, verdictOf } from './retry-policy';

/** A part that an attempt needs is asked again so long after it was found to be away. */
const POSTPONED_MS = 5_000;

/** What is sent to an endpoint of this type is made of what is in hand, at once. */
const WEBHOOK = 'webhook';

/** Makes one attempt and judges it. */
@Injectable()
export class Attempter {
  private readonly logger = new Logger(Attempter.name);
  /** Endpoints whose secrets cannot be opened, once told of. */
  private readonly told = new WeakSet<EndpointRecord>();
  /** Endpoints whose deliveries wait for a part that is away, once told of. */
  private readonly postponing = new Set<string>();

  constructor(
    private readonly sender: HttpSender,
    private readonly registry: RegistryService,
    private readonly config: DeliveryConfig,
    private readonly metrics: Metrics,
    private readonly builders: RequestBuilders,
  ) {}

  timeoutMsOf(endpoint: EndpointRecord): number {
    return endpoint.timeoutMs ?? this.config.timeoutMs;
  }

  /** Never rejects. */
  async attempt(job: DeliveryJob, endpoint: EndpointRecord): Promise<Outcome> {
    const { event, deliveryId, endpointId, attemptCount, fanOut } = job;
    const of: OutcomeDelivery = { deliveryId, endpointId, attemptCount, fanOut, eventId: event.id, source: event.source };
    let request: OutgoingRequest;
    try {
      if (endpoint.type === WEBHOOK) request = requestOf(endpoint, event, Date.now(), this.config.timeoutMs);
      else request = await this.built(job, endpoint);
    } catch (error) {
      if (isSecretUnreadable(error)) return this.unsealable(of, job, endpoint, error);
      if (error instanceof UnsendableError) return this.notMade(of, job, endpoint, error.code);
      if (isOutage(error)) return this.postponed(of, endpoint, error as GatewayError);
      this.logger.error(`Event ${event.id} cannot be made a request of`, (error as Error).stack);
      return faulty(of, 'event_unreadable');
    }
    this.metrics.inFlight.inc();
    const result = await this.sender.send(request);
    this.metrics.inFlight.dec();
    this.metrics.attemptSeconds.observe(result.durationMs / 1_000);
    const verdict = this.judge(result, job, endpoint);
    if (verdict.kind === 'delivered' && job.attemptCount === 0) {
      this.metrics.acceptToDeliverySeconds.observe(Math.max(0, Date.now() - event.receivedAt) / 1_000);
    }
    return { delivery: of, result, verdict };
  }

  /** Nothing leaves without its signature. A key can be given back meanwhile, so the delivery waits by its schedule. */
  private unsealable(delivery: OutcomeDelivery, job: DeliveryJob, endpoint: EndpointRecord, { message }: GatewayError): Outcome {
    if (!this.told.has(endpoint)) this.logger.error(message);
    this.told.add(endpoint);
    return this.notMade(delivery, job, endpoint, 'secret_unreadable');
  }

  private notMade(delivery: OutcomeDelivery, job: DeliveryJob, endpoint: EndpointRecord, code: string): Outcome {
    const result = notSent(code);
    return { delivery, result, verdict: this.judge(result, job, endpoint) };
  }

  private async built({ event }: DeliveryJob, endpoint: EndpointRecord): Promise<OutgoingRequest> {
    const request = await this.builders.build(endpoint, event, this.timeoutMsOf(endpoint));
    this.postponing.delete(endpoint.id);
    return request;
  }

  /** No attempt was made, so none is counted: however long the part is away, it costs nothing of the schedule. */
  private postponed(delivery: OutcomeDelivery, endpoint: EndpointRecord, { message }: GatewayError): Outcome {
    if (!this.postponing.has(endpoint.id)) this.logger.warn(`Deliveries to ${endpointLabel(endpoint)} wait: ${message}`);
    this.postponing.add(endpoint.id);
    return { delivery, result: undefined, verdict: { kind: 'waiting', delayMs: POSTPONED_MS } };
  }

  private judge(result: AttemptResult, job: DeliveryJob, endpoint: EndpointRecord): Verdict {
    const context = {
      schedule: endpoint.retrySchedule ?? this.config.retrySchedule,
      attemptCount: job.attemptCount + 1 - job.attemptsBefore,
      nowMs: Date.now(),
      random: Math.random(),
    };
    const verdict = verdictOf(result, context);
    // What was gone is one thing among others at the URL, or a URL that the endpoint no longer has.
    const isOfOther =
      verdict.kind === 'gone' && (endpoint.type !== WEBHOOK || this.registry.snapshot.endpoint(endpoint.id)?.url !== endpoint.url);
    return isOfOther ? verdictOf({ ...result, status: null }, context) : verdict;
  }
}

const isSecretUnreadable = (error: unknown): error is GatewayError => error instanceof GatewayError && error.code === 'secret_unreadable';

/** The outcome of a delivery that no retry mends. */
export const faulty = (delivery: OutcomeDelivery, reason: PipelineFault): Outcome => ({
  delivery,
  result: undefined,
  verdict: { kind: 'dead', reason, deadClass: 'pipeline' },
});
