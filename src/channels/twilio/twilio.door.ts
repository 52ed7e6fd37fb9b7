import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../core/errors';
import { mediaTypeOf } from '../../core/media-type';
import { headerOf } from '../../http/raw-body';
import type { ReceivedRequest } from '../../http/received-request';
import { ChannelInbox } from '../channel';
import { TwilioAnswers } from './twilio.answers';
import { openCloudEvents } from './twilio.cloud-events';
import { Form } from '../../presets/request/form';
import { type Route, kindOf } from './twilio.form-kind';
import { FORM_TYPE, JSON_TYPE, attributesOf } from './twilio.parser';
import { TWILIO, TwilioSignature } from './twilio.signature';
import { EMPTY_TWIML } from './twilio.twiml';

export const TWILIO_QUEUE = 'webhooks.twilio.default';

/** What becomes of a webhook, whether it comes now or was refused before. */
@Injectable()
export class TwilioDoor {
  constructor(
    private readonly signature: TwilioSignature,
    private readonly answers: TwilioAnswers,
    private readonly inbox: ChannelInbox,
  ) {}

  /** @returns the answer, TwiML or nothing. @throws GatewayError */
  async receive(request: ReceivedRequest): Promise<string> {
    if (request.method === 'GET') return this.receiveQuery(request);
    const isJson = routeOf(request) === 'events' || mediaTypeOf(request.headers['content-type']) === JSON_TYPE;
    return isJson ? this.receiveJson(request) : this.receiveForm(request);
  }

  private receiveForm(request: ReceivedRequest): Promise<string> {
    const { target, body } = request;
    const form = Form.parse(body.toString('utf8'));
    const signer = this.signature.assertForm(target, form, signatureOf(request));
    return this.acceptForm(request, { form, body, contentType: request.headers['content-type'] ?? FORM_TYPE, signer });
  }

  private receiveQuery(request: ReceivedRequest): Promise<string> {
    const { target } = request;
    const query = target.includes('?') ? target.slice(target.indexOf('?') + 1) : '';
    const form = Form.parse(query);
    const signer = this.signature.assertQuery(target, form, signatureOf(request));
    return this.acceptForm(request, { form, body: Buffer.from(query), contentType: FORM_TYPE, signer });
  }

  private async receiveJson(request: ReceivedRequest): Promise<string> {
    const { target, body } = request;
    const signer = this.signature.assertJson(target, body, signatureOf(request));
    openCloudEvents(body);
    await this.enqueue(request, { body, contentType: request.headers['content-type'] ?? JSON_TYPE, signer });
    return EMPTY_TWIML;
  }

  private async acceptForm(request: ReceivedRequest, signed: Signed & { form: Form }): Promise<string> {
    if (signed.form.isEmpty) throw new GatewayError('malformed_request', 'There are no parameters');
    await this.enqueue(request, signed);
    return this.answers.to(kindOf(routeOf(request), signed.form), signed.form);
  }

  private enqueue(request: ReceivedRequest, { body, contentType, signer }: Signed): Promise<void> {
    const { requestId, receivedAt } = request;
    const attributes = attributesOf({ route: routeOf(request), token: headerOf(request, 'i-twilio-idempotency-token'), signer });
    return this.inbox.enqueue(TWILIO, TWILIO_QUEUE, { requestId, receivedAt, contentType, body, attributes });
  }
}

interface Signed {
  body: Buffer;
  contentType: string;
  signer: string | undefined;
}

const signatureOf = (request: ReceivedRequest): string | undefined => headerOf(request, 'x-twilio-signature');

/** By the route, not by the path as it came, which may be escaped. */
const routeOf = ({ route }: ReceivedRequest): Route => (route.slice('/twilio/'.length) || 'message') as Route;
