import replyFrom from '@fastify/reply-from';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { forwardedHeaders } from './forwarded-headers';
import { type Upstream, withPassage } from './upstream';

/** One request on its way to the target. */
export interface Passing {
  /** Path and query, as they came. */
  target: string;
  /** Null: there is none. */
  body: Parameters<typeof withPassage>[1]['body'];
  /** Changes the headers that the target gets. */
  mark(headers: IncomingHttpHeaders): void;
  /** The head of the answer is there; its body waits until this resolves. */
  answered(headers: IncomingHttpHeaders): Promise<void>;
  /** There is no answer. */
  failed(error: Error): void;
}

export const registerPassing = (fastify: FastifyInstance, upstream: Upstream, base: string): void => {
  void fastify.register(replyFrom, { base, undici: upstream, disableRequestLogging: true });
};

/** Sends the request on, and its answer back. A client that leaves takes the request to the target with it. */
export function pass(request: FastifyRequest, reply: FastifyReply, passing: Passing): void {
  const client = new EventEmitter();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) client.emit('abort');
  });
  reply.from('/', {
    // The library would repeat a GET that was answered 503.
    retryDelay: () => null,
    queryString: () => '',
    rewriteRequestHeaders: (_request, headers) => {
      const forwarded = forwardedHeaders(headers, request.raw);
      passing.mark(forwarded);
      return withPassage(forwarded, { target: passing.target, body: passing.body, client });
    },
    onResponse: (_request, _reply, answer) => {
      // The types know Node's own client only.
      const { stream, headers } = answer as unknown as { stream: Readable; headers: IncomingHttpHeaders };
      const isGone = (): boolean => reply.raw.destroyed;
      void passing.answered(headers).then(() => (isGone() ? stream.destroy() : reply.send(stream)));
    },
    onError: (_reply, { error }) => passing.failed(error),
  });
}
