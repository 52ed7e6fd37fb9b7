import type { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { Agent, type Dispatcher } from 'undici';
import { EgressGuard, OPERATORS_RULES } from '../dispatcher/delivery/egress/egress-guard';
import { answeredHeaders } from './forwarded-headers';

/** What of a request reaches the target as it came; the proxy library would rewrite the path and refuse some bodies. */
export interface Passage {
  /** Path and query. */
  target: string;
  body: Buffer | Readable | null;
  /** Emits `abort` when the client has gone. */
  client: EventEmitter;
}

const PASSAGE = Symbol('passage');
type Marked = IncomingHttpHeaders & { [PASSAGE]?: Passage };

/** Lets the headers carry the passage through the library; no symbol is ever sent. */
export const withPassage = (headers: IncomingHttpHeaders, passage: Passage): IncomingHttpHeaders => {
  (headers as Marked)[PASSAGE] = passage;
  return headers;
};

const CONNECT_MS = 5_000;
/** Those who come beyond wait for a connection. */
const MAX_CONNECTIONS = 1_024;

type RequestOptions = Omit<Dispatcher.RequestOptions, 'headers'> & { headers: Marked };
type Callback = (error: Error | null, data: Dispatcher.ResponseData) => void;

/** The connections to the target. Its certificate is checked. */
export class Upstream {
  private readonly agent: Agent;

  constructor(timeoutMs: number) {
    this.agent = new Agent({
      connections: MAX_CONNECTIONS,
      pipelining: 1,
      connect: new EgressGuard(OPERATORS_RULES).connector({ timeout: Math.min(timeoutMs, CONNECT_MS) }),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
  }

  /** What the library calls to send a request. */
  readonly request = ((options: RequestOptions, callback: Callback): void => {
    const { target, body, client } = options.headers[PASSAGE] as Passage;
    this.agent.request({ ...options, path: target, body, signal: client, responseHeaders: 'raw' }, (error, data) => {
      if (error !== null) {
        callback(error, data);
        return;
      }
      // As `raw` they are pairs of name and value, byte for byte.
      const headers = answeredHeaders(data.headers as unknown as string[]) as Dispatcher.ResponseData['headers'];
      callback(null, Object.assign(data, { headers }));
    });
  }) as Dispatcher['request'];

  destroy(): Promise<void> {
    return this.agent.destroy();
  }
}
