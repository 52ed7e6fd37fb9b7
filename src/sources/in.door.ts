import { Injectable } from '@nestjs/common';
import { ChannelInbox } from '../channels/channel';
import { GatewayError } from '../core/errors';
import type { RefusedAt } from '../http/door';
import type { ReceivedRequest } from '../http/received-request';
import type { PresetAnswer } from '../presets/preset';
import type { LiveSource } from './registry/live-source';
import { SourceRegistry } from './registry/source-registry';
import { tokenOf } from './registry/url-token';
import { SOURCES_QUEUE } from './sources.channel';

/** The door's name in metrics and refusals; each source of it has a source of the ledger of its own. */
export const IN = 'in';

/** What becomes of a request to a source's URL, whether it comes now or was refused before. */
@Injectable()
export class InDoor {
  constructor(
    private readonly sources: SourceRegistry,
    private readonly inbox: ChannelInbox,
  ) {}

  /** Whether there is an enabled source of that URL. @throws GatewayError `storage_unavailable` while that cannot be known. */
  isThere(target: string): boolean | Promise<boolean> {
    const found = this.sources.find(tokenOf(target));
    return found instanceof Promise ? found.then((source) => source !== undefined) : found !== undefined;
  }

  /** @returns the answer, of a webhook once it is stored. @throws GatewayError */
  async receive(request: ReceivedRequest): Promise<PresetAnswer> {
    const source = await this.sources.find(tokenOf(request.target));
    if (source === undefined) throw new GatewayError('not_found', 'There is no such source, or it is disabled');
    const { settings, verifier } = source.readyAt(request.receivedAt);
    const { handshake } = source.preset;
    const isAsked = handshake !== undefined && handshake.method === request.method;
    if (isAsked && !handshake.isSigned) {
      const answer = handshake.answer(request, settings);
      if (answer !== undefined) return answer;
    }
    if (request.method !== 'POST' && !isAsked) throw new GatewayError('not_found', `This source answers no ${request.method}`);
    verifier.assertValid(request, request.receivedAt);
    const answer = isAsked && handshake.isSigned ? handshake.answer(request, settings) : undefined;
    if (answer !== undefined) return answer;
    if (request.method !== 'POST')
      throw new GatewayError('malformed_request', `This ${request.method} asks nothing that the source answers`);
    await this.store(source, request);
    return source.answer;
  }

  /** Where a refusal is listed: under its source, without the token. */
  describe({ target }: ReceivedRequest): RefusedAt {
    const source = this.sources.peek(tokenOf(target));
    const path = `/${IN}/***`;
    return source === undefined ? { source: IN, path } : { source: source.ledgerSource, path, accountId: source.record.accountId };
  }

  private store(source: LiveSource, { requestId, receivedAt, headers, body }: ReceivedRequest): Promise<void> {
    const contentType = headers['content-type'] ?? '';
    const raw = { requestId, receivedAt, contentType, body, attributes: source.attributesOf(headers) };
    return this.inbox.enqueue(IN, SOURCES_QUEUE, raw, source.ledgerSource);
  }
}
