import { Injectable } from '@nestjs/common';
import { ServerConfig } from '../../../config/app.config';
import type { OutgoingRequest } from '../../../dispatcher/delivery/http/http-sender';
import { RequestBuilders, UnsendableError } from '../../../dispatcher/delivery/request-builders';
import type { EndpointRecord } from '../../../dispatcher/registry/endpoint-record';
import type { StoredEvent } from '../../../dispatcher/stored-event';
import type { LoadedThread } from '../../../threads/thread';
import { ThreadStore } from '../../../threads/thread-store';
import { viewStatement } from '../../../threads/threads.view';
import { AutomateConfig } from '../automate.config';
import { readHandover } from '../automate.request';
import { codedRequest } from './coded-request';
import { HANDOVER_TYPE, threadUrl } from './endpoints';
import { ThreadlessHandovers } from './threadless-handovers';

/** A person reads no more of it; the rest is at /api/v1/threads. */
const MOST_STATEMENTS = 1_000;

/**
 * Passes threads to the agents' application. The thread is loaded at each attempt: what was said in the meantime goes along, and a thread
 * that is written late is found by a later one.
 */
@Injectable()
export class HandoverSender {
  constructor(
    private readonly automate: AutomateConfig,
    private readonly server: ServerConfig,
    private readonly threads: ThreadStore,
    private readonly threadless: ThreadlessHandovers,
    builders: RequestBuilders,
  ) {
    builders.register(HANDOVER_TYPE, (endpoint, event, timeoutMs) => this.request(endpoint, event, timeoutMs));
  }

  /** @throws UnsendableError, GatewayError `thread_store_unavailable`. */
  private async request({ url }: EndpointRecord, event: StoredEvent, timeoutMs: number): Promise<OutgoingRequest> {
    const [secret] = this.automate.otpSecret;
    if (this.server.webApiUrl === null || secret === undefined) throw new UnsendableError('not_configured');
    const handover = readHandover(event.data);
    const thread = await this.load(handover.threadId, event.accountId);
    if (!thread) {
      this.threadless.tell(handover.threadId, event);
      throw new UnsendableError('thread_not_found');
    }
    const body = { ...handover, statementCount: thread.statementCount, statements: thread.statements.map(viewStatement) };
    return codedRequest({ url: threadUrl(url, handover.threadId), secret, id: event.id, body, timeoutMs });
  }

  /** The coordinator need not know whose page a conversation is on. */
  private async load(id: string, accountId: string): Promise<LoadedThread | undefined> {
    const limit = MOST_STATEMENTS;
    return (await this.threads.load(id, { accountId, limit })) ?? (await this.threads.load(id, { limit }));
  }
}
