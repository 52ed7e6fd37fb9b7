import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Every metric of the gateway. Labels hold names from our own lists only, never a sender's text. */
@Injectable()
export class Metrics {
  readonly registry = new Registry();

  /** Requests that got a 2xx at a door. */
  readonly accepted = this.counter('hookline_requests_accepted_total', 'Requests answered with 2xx after they were stored', ['source']);
  /** Requests refused at a door. */
  readonly rejected = this.counter('hookline_requests_rejected_total', 'Requests refused, by error code', ['source', 'code']);
  readonly refusalsDropped = this.counter(
    'hookline_refusals_dropped_total',
    'Refused requests that were counted but not listed, under a flood or while the storage was away',
    [],
  );
  /** Events read from accepted requests, by what dispatch made of them. */
  readonly events = this.counter('hookline_events_total', 'Events dispatched, by outcome: matched, filtered, duplicate, poison', [
    'source',
    'outcome',
  ]);
  readonly delivered = this.counter('hookline_deliveries_delivered_total', 'Deliveries that the endpoint answered with 2xx', []);
  readonly retried = this.counter('hookline_deliveries_retried_total', 'Attempts that failed and are tried again', []);
  readonly dead = this.counter('hookline_deliveries_dead_total', 'Deliveries given up, by class', ['class']);
  readonly cancelled = this.counter('hookline_deliveries_cancelled_total', 'Deliveries cancelled', []);
  readonly jobDeliveries = this.counter('hookline_job_deliveries_total', 'Deliveries made due, made or cancelled by jobs', ['kind']);
  readonly deadNow = this.gauge('hookline_dead_deliveries', 'Deliveries that are dead now, by class; counted up to 100,000', ['class']);
  readonly fenced = this.counter(
    'hookline_deliveries_fenced_total',
    'Results dropped because the delivery was no longer this process’s: its lease had run out',
    [],
  );
  readonly unwritten = this.gauge(
    'hookline_results_unwritten',
    'Results in hand that the database refuses to write; they are tried again, and not sent again while this process runs',
    [],
  );
  readonly leasesFreed = this.counter(
    'hookline_leases_freed_total',
    'Deliveries taken back from a process that died or did not renew its lease in time',
    [],
  );
  readonly inFlight = this.gauge('hookline_deliveries_in_flight', 'Attempts under way in this process', []);
  readonly circuitsOpen = this.gauge(
    'hookline_circuits_open',
    'Endpoints that this process sends nothing but probes, since they failed',
    [],
  );
  readonly queueDepth = this.gauge('hookline_queue_depth', 'Messages in a queue of the broker', ['queue']);
  readonly oldestUndeliveredSeconds = this.gauge(
    'hookline_oldest_undelivered_age_seconds',
    'How long the delivery that has been due the longest has been so, of enabled endpoints; 0 when none is due',
    [],
  );
  readonly oldestFrozenSeconds = this.gauge(
    'hookline_oldest_frozen_age_seconds',
    'The same of disabled endpoints, whose deliveries wait until they are enabled',
    [],
  );
  readonly ledgerImbalance = this.gauge(
    'hookline_ledger_imbalance',
    'Above 0 when the ledger’s sum has not held for 60 s; by door: how many of its sources',
    ['source'],
  );
  readonly repairs = this.counter('hookline_reconciler_repairs_total', 'What was found out of order in the database and mended', ['kind']);
  readonly missing = this.counter(
    'hookline_requests_missing_total',
    'Requests that the broker confirmed and that never came out of it, by door',
    ['source'],
  );
  readonly expired = this.counter('hookline_retention_rows_total', 'Rows deleted because their time was over, by table', ['table']);
  readonly statements = this.counter('hookline_statements_total', 'What was said, written to the threads or refused by their store', [
    'outcome',
  ]);
  readonly ingestSeconds = this.histogram('hookline_ingest_duration_seconds', 'From the request to its 2xx', ['source']);
  readonly attemptSeconds = this.histogram('hookline_attempt_duration_seconds', 'One attempt, from connect to answer', []);
  readonly acceptToDeliverySeconds = this.histogram(
    'hookline_accept_to_delivery_seconds',
    'From receiving an event to its delivery at the first attempt',
    [],
  );
  readonly affinityRequests = this.counter(
    'hookline_affinity_requests_total',
    'Requests at the affinity proxy, by outcome: answered, refused, unreachable, timeout, gone (the client left first)',
    ['outcome'],
  );
  readonly affinitySessions = this.counter(
    'hookline_affinity_sessions_total',
    'What became of the affinity cookies of actors: found, missing, stored, removed, unsaved (the storage was away)',
    ['result'],
  );

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    // A series that begins with its first burst has no increase to alarm of.
    for (const deadClass of ['receiver', 'pipeline']) this.dead.inc({ class: deadClass }, 0);
  }

  private counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  private gauge<L extends string>(name: string, help: string, labelNames: L[]): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  private histogram<L extends string>(name: string, help: string, labelNames: L[]): Histogram<L> {
    return new Histogram({ name, help, labelNames, buckets: SECONDS, registers: [this.registry] });
  }
}
