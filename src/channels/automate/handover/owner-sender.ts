import { Injectable } from '@nestjs/common';
import type { OutgoingRequest } from '../../../dispatcher/delivery/http/http-sender';
import { RequestBuilders, UnsendableError } from '../../../dispatcher/delivery/request-builders';
import { FollowUps, type Following, type SettledDelivery } from '../../../dispatcher/operational/follow-ups';
import type { EndpointRecord } from '../../../dispatcher/registry/endpoint-record';
import type { StoredEvent } from '../../../dispatcher/stored-event';
import { ThreadCoordinatorConfig } from '../automate.config';
import { readHandover } from '../automate.request';
import { AUTOMATE } from '../automate.signature';
import { codedRequest } from './coded-request';
import { HANDOVER_ENDPOINT, OWNER_ENDPOINT, OWNER_TYPE, threadUrl } from './endpoints';

/** The ledger's source of outcomes: nobody sends them. */
const OUTCOME_SOURCE = 'handover';

/** What the coordinator is told of a thread. */
interface Outcome {
  threadId: string;
  owner: 'agent' | 'bot';
  status: SettledDelivery['status'];
  /** ISO 8601. */
  at: string;
}

/** Tells the thread coordinator who owns a thread, once its handover is settled. */
@Injectable()
export class OwnerSender {
  constructor(
    private readonly coordinator: ThreadCoordinatorConfig,
    builders: RequestBuilders,
    followUps: FollowUps,
  ) {
    builders.register(OWNER_TYPE, (endpoint, event, timeoutMs) => this.request(endpoint, event, timeoutMs));
    followUps.register(HANDOVER_ENDPOINT, (settled) => this.follow(settled));
  }

  /** The event of a handover's outcome: the agents have the thread, or the bot keeps it. Undefined where there is nobody to tell. */
  private follow({ status, at, event }: SettledDelivery): Following | undefined {
    if (this.coordinator.url === null) return undefined;
    const threadId = threadIdOf(event);
    if (threadId === undefined) return undefined;
    const data: Outcome = { threadId, owner: status === 'delivered' ? 'agent' : 'bot', status, at: new Date(at).toISOString() };
    return { source: OUTCOME_SOURCE, application: AUTOMATE, eventType: 'owner', to: [OWNER_ENDPOINT], data: { ...data } };
  }

  /** @throws UnsendableError. */
  private request({ url }: EndpointRecord, event: StoredEvent, timeoutMs: number): Promise<OutgoingRequest> {
    const [secret] = this.coordinator.otpSecret;
    if (this.coordinator.url === null || secret === undefined) throw new UnsendableError('not_configured');
    const { threadId, ...body } = JSON.parse(event.data.toString('utf8')) as Outcome;
    return Promise.resolve(codedRequest({ url: threadUrl(url, threadId), secret, id: event.id, body, timeoutMs }));
  }
}

/** Undefined for an event that is no handover: somebody has replayed another one to the agents' application. */
function threadIdOf({ data }: StoredEvent): string | undefined {
  try {
    return readHandover(data).threadId;
  } catch {
    return undefined;
  }
}
