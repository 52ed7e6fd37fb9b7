import { Injectable } from '@nestjs/common';
import { ChannelInbox } from '../channels/channel';
import { GatewayError } from '../core/errors';
import type { RefusedAt, SourceState } from '../http/door';
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

  /** The enabled source of that URL. @throws GatewayError `storage_unavailable` while that cannot be known. */
  find(target: string): ReturnType<SourceRegistry['find']> {
    return this.sources.find(tokenOf(target));
  }

  /** Takes in again what was refused before. @returns the answer. @throws GatewayError */
  async receiveAgain(request: ReceivedRequest): Promise<PresetAnswer> {
    const source = await this.find(request.target);
    if (source === undefined) throw new GatewayError('not_found', 'There is no such source, or it is disabled');
    return this.receive(source, request);
  }

  /** @returns the answer, of a webhook once it is stored. @throws GatewayError */
  async receive(source: LiveSource, request: ReceivedRequest): Promise<PresetAnswer> {
    const { settings, verifier } = source.readyAt(request.receivedAt);
    const { method } = request;
    const handshake = source.preset.handshake?.method === method ? source.preset.handshake : undefined;
    if (method !== 'POST' && handshake === undefined) throw new GatewayError('not_found', `This source answers no ${method}`);
    const unsigned = handshake?.isSigned === false ? handshake.answer(request, settings) : undefined;
    if (unsigned !== undefined) return unsigned;
    verifier.assertValid(request, request.receivedAt);
    const signed = handshake?.isSigned === true ? handshake.answer(request, settings) : undefined;
    if (signed !== undefined) return signed;
    if (method !== 'POST') throw new GatewayError('malformed_request', `This ${method} asks nothing that the source answers`);
    await this.store(source, request);
    return source.answer;
  }

  /** Where a refusal is listed: under its source, without the token. */
  describe({ target }: ReceivedRequest): RefusedAt {
    const source = this.sources.peek(tokenOf(target));
    const path = `/${IN}/***`;
    return source === undefined ? { source: IN, path } : { source: source.ledgerSource, path, accountId: source.record.accountId };
  }

  /** Of one that was here once; of no one in particular (the door's own refusals) there is nothing to say. */
  stateOf(ledgerSource: string): SourceState {
    if (ledgerSource === IN) return 'enabled';
    const source = this.sources.all().find((each) => each.ledgerSource === ledgerSource);
    if (source === undefined) return 'deleted';
    return source.record.enabled ? 'enabled' : 'disabled';
  }

  private store(source: LiveSource, { requestId, receivedAt, headers, body }: ReceivedRequest): Promise<void> {
    const contentType = headers['content-type'] ?? '';
    const raw = { requestId, receivedAt, contentType, body, attributes: source.attributesOf(headers) };
    return this.inbox.enqueue(IN, SOURCES_QUEUE, raw, source.ledgerSource);
  }
}
