import { Injectable } from '@nestjs/common';
import type { Transaction } from 'kysely';
import { GatewayError } from '../../core/errors';
import type { DispatchOutcome, IncomingRequest, PublishedOutcome } from '../../core/hook-event';
import { bumpRegistryVersion } from '../../storage/registry-version';
import type { Schema } from '../../storage/schema';
import { WriteBatcher } from '../../storage/write-batcher';
import { DispatcherService } from '../dispatcher.service';
import { AccountsRepository } from '../registry/accounts.repository';
import { type EarlierUse, IdempotencyRepository, KeyTakenError, type KeyUse, nameOf } from './idempotency.repository';

/** One call that publishes events. */
export interface PublishRequest {
  incoming: IncomingRequest;
  /** Bytes of its body. */
  bytes: number;
  idempotency: KeyUse | undefined;
}

/** An error here is the request's own; it does not touch the others of its group. */
type PublishResult = { outcomes: PublishedOutcome[] } | { error: GatewayError };

/** What an event costs beside its bytes: its rows. Keeps groups of small events short. */
const EVENT_COST_BYTES = 2_048;

/** Dispatches published events in groups, each request with its Idempotency-Key in the transaction of its events. */
@Injectable()
export class EventPublisher {
  private readonly batcher = new WriteBatcher<PublishRequest, PublishResult>({
    maxCount: 200,
    maxBytes: 4_194_304,
    maxInFlight: 2,
    sizeOf: ({ bytes, incoming }) => bytes + EVENT_COST_BYTES * incoming.events.length,
    write: (group) => this.publishGroup(group),
  });

  constructor(
    private readonly dispatcher: DispatcherService,
    private readonly idempotency: IdempotencyRepository,
    private readonly accounts: AccountsRepository,
  ) {}

  /**
   * Resolves when the events are committed, or when the request's key shows that they were before.
   * @returns one outcome an event, in order.
   * @throws GatewayError `idempotency_key_reused`, `storage_unavailable`.
   */
  async publish(request: PublishRequest): Promise<PublishedOutcome[]> {
    const result = await this.batcher.add(request);
    if ('error' in result) throw result.error;
    return result.outcomes;
  }

  /** One result a request, in order. */
  private async publishGroup(group: readonly PublishRequest[]): Promise<PublishResult[]> {
    const results = new Map<PublishRequest, PublishResult>();
    let open = await this.settleKnown(group, results);
    // Each round that writes nothing finds at least one more key used.
    for (let round = 0; open.length > 0; round++) {
      if (round > group.length) throw new Error('Idempotency keys are taken, but by nobody');
      const now = firstOfEachKey(open);
      const outcomes = await this.publishTogether(now);
      now.forEach((request, index) => outcomes && results.set(request, { outcomes: outcomes[index] ?? [] }));
      // The others of a key, and those whose key was taken meanwhile: their answer is there now.
      open = await this.settleKnown(
        open.filter((request) => !results.has(request)),
        results,
      );
    }
    return group.map((request) => results.get(request) as PublishResult);
  }

  /** Answers those whose key has been used; returns the others. */
  private async settleKnown(requests: readonly PublishRequest[], results: Map<PublishRequest, PublishResult>): Promise<PublishRequest[]> {
    const uses = requests.flatMap((request) => request.idempotency ?? []);
    const earlier = await this.idempotency.find(uses, Date.now());
    return requests.filter((request) => {
      const use = request.idempotency;
      const known = use && earlier.get(nameOf(use));
      if (known) results.set(request, answerAgain(use, known));
      return known === undefined;
    });
  }

  /** Undefined when one of their keys was taken meanwhile: nothing was written then. */
  private async publishTogether(requests: readonly PublishRequest[]): Promise<PublishedOutcome[][] | undefined> {
    try {
      return await this.dispatch(requests);
    } catch (error) {
      if (error instanceof KeyTakenError) return undefined;
      throw error;
    }
  }

  private async dispatch(requests: readonly PublishRequest[]): Promise<PublishedOutcome[][]> {
    const unsure = this.accounts.unsure(requests.flatMap(({ incoming }) => incoming.events.flatMap((event) => event.accountId ?? [])));
    const outcomes = await this.dispatcher.dispatch(
      requests.map((request) => request.incoming),
      { within: (trx, made) => this.record(trx, requests, published(made), unsure) },
    );
    this.accounts.remember(unsure);
    return published(outcomes);
  }

  private async record(
    trx: Transaction<Schema>,
    requests: readonly PublishRequest[],
    outcomes: readonly PublishedOutcome[][],
    unsure: readonly string[],
  ): Promise<void> {
    const uses = requests.flatMap(({ idempotency: use }, index) => (use ? [{ use, outcomes: outcomes[index] ?? [] }] : []));
    await this.idempotency.insert(trx, uses, Date.now());
    let isNew = false;
    for (const id of unsure) isNew = (await this.accounts.ensure(trx, id)) || isNew;
    if (isNew) await bumpRegistryVersion(trx);
  }
}

const published = (outcomes: readonly DispatchOutcome[][]): PublishedOutcome[][] =>
  outcomes.map((ofRequest) => ofRequest.map(({ id, duplicate }) => ({ id, duplicate })));

const answerAgain = (use: KeyUse, earlier: EarlierUse): PublishResult =>
  earlier.bodyHash === use.bodyHash ? { outcomes: earlier.outcomes } : { error: new GatewayError('idempotency_key_reused') };

/** Two requests with the same key do not go together: the second gets the first one's answer. */
function firstOfEachKey(requests: readonly PublishRequest[]): PublishRequest[] {
  const seen = new Set<string>();
  return requests.filter(({ idempotency: use }) => {
    if (use === undefined) return true;
    const isFirst = !seen.has(nameOf(use));
    seen.add(nameOf(use));
    return isFirst;
  });
}
