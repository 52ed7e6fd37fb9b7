import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { EgressGuard, OPERATORS_RULES, parseTarget } from '../egress/egress-guard';
import { DeliveryConfig } from '../delivery.config';
import { Attempt, type AttemptResult } from './attempt';
import { type Connection, ConnectionPool } from './connection-pool';

export interface OutgoingRequest {
  url: string;
  /** Names and values in turn. */
  headers: string[];
  body: Buffer;
  /** For the whole attempt. */
  timeoutMs: number;
  /** The URL stands in the operator's settings: it may lead into networks that are closed to URLs of others. */
  isOperators?: true;
}

interface Target {
  origin: string;
  path: string;
}

const MAX_TARGETS = 10_000;

/** Makes attempts: one POST each, over the egress guard, without redirects and without decompression. */
@Injectable()
export class HttpSender implements OnApplicationShutdown {
  private readonly connections: ConnectionPool;
  /** Never used for URLs of others, which could name the same origin. */
  private readonly operatorsConnections: ConnectionPool;
  private readonly underWay = new Set<Attempt>();
  /** Of URLs that were called of late. */
  private readonly targets = new Map<string, Target>();

  constructor(
    private readonly guard: EgressGuard,
    config: DeliveryConfig,
  ) {
    const options = { timeout: config.connectTimeoutMs };
    this.connections = new ConnectionPool(guard.connector(options));
    this.operatorsConnections = new ConnectionPool(new EgressGuard(OPERATORS_RULES).connector(options));
  }

  /** Never rejects: an attempt that fails is a result too. */
  send(request: OutgoingRequest): Promise<AttemptResult> {
    return new Promise((resolve) => {
      let target: Target;
      try {
        target = this.targetOf(request.url);
      } catch {
        // It was checked when it was saved, so this is one that was written past the API.
        return resolve(notSent('address_refused'));
      }
      const pool = request.isOperators === true ? this.operatorsConnections : this.connections;
      const connection = pool.take(target.origin);
      const attempt = new Attempt(connection, request.timeoutMs, (result, reusable) => {
        this.underWay.delete(attempt);
        free(pool, connection, reusable);
        resolve(this.readable(result));
      });
      this.underWay.add(attempt);
      const { headers, body } = request;
      try {
        connection.client.dispatch({ path: target.path, method: 'POST', headers, body }, attempt);
      } catch (error) {
        attempt.onResponseError(undefined, error as Error);
      }
    });
  }

  /** Attempts that were not waited for are cut off. */
  onApplicationShutdown(): void {
    for (const attempt of this.underWay) attempt.cancel();
    this.connections.close();
    this.operatorsConnections.close();
  }

  private targetOf(url: string): Target {
    let target = this.targets.get(url);
    if (target === undefined) {
      const { origin, pathname, search } = parseTarget(url);
      if (this.targets.size >= MAX_TARGETS) this.targets.clear();
      this.targets.set(url, (target = { origin, path: pathname + search }));
    }
    return target;
  }

  /** A body that may not be kept goes no further than this. */
  private readable(result: AttemptResult): AttemptResult {
    if (result.responseHead === null || result.address === null || this.guard.keepsAnswersOf(result.address)) return result;
    return { ...result, responseHead: null };
  }
}

function free(pool: ConnectionPool, connection: Connection, reusable: boolean): void {
  if (reusable) pool.giveBack(connection);
  else connection.destroy();
}

/** The result of an attempt for which no connection was made. */
export const notSent = (code: string): AttemptResult => ({
  at: Date.now(),
  durationMs: 0,
  status: null,
  code,
  retryAfter: null,
  address: null,
  responseHead: null,
});
