import { Controller, Get, Header, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { GatewayError } from '../../core/errors';
import { Accepts, mediaTypeOf } from '../../http/accepts';
import { Direct } from '../../http/direct';
import { Door } from '../../http/door';
import { bodyOf, headerOf } from '../../http/raw-body';
import { ChannelInbox } from '../channel';
import { TwilioAnswers } from './twilio.answers';
import { openCloudEvents } from './twilio.cloud-events';
import { Form } from './twilio.form';
import { type Route, kindOf } from './twilio.form-kind';
import { FORM_TYPE, JSON_TYPE, attributesOf } from './twilio.parser';
import { TWILIO, TwilioSignature } from './twilio.signature';
import { EMPTY_TWIML } from './twilio.twiml';

export const TWILIO_QUEUE = 'webhooks.twilio.default';

const XML = 'text/xml; charset=utf-8';
const SIGNATURE = { name: 'X-Twilio-Signature', description: 'HMAC-SHA1 of URL and parameters with the auth token, in base64' };
const IDEMPOTENCY = { name: 'I-Twilio-Idempotency-Token', required: false, description: 'The same for each attempt of one webhook' };

/** Twilio's own contract; docs/channels/twilio.md. Any of the paths may be given for several kinds of webhooks. */
@ApiTags('doors')
@ApiHeader(SIGNATURE)
@ApiHeader(IDEMPOTENCY)
@Controller('twilio')
export class TwilioController {
  constructor(
    private readonly signature: TwilioSignature,
    private readonly answers: TwilioAnswers,
    private readonly inbox: ChannelInbox,
  ) {}

  @ApiOperation({ summary: 'Webhooks of Twilio: messages, status callbacks, calls, conversations' })
  @ApiConsumes(FORM_TYPE, JSON_TYPE)
  @ApiBody({ schema: { type: 'object' } })
  @Post(['', 'status', 'voice', 'conversations'])
  @HttpCode(200)
  @Door(TWILIO)
  @Accepts(FORM_TYPE, JSON_TYPE)
  @Header('content-type', XML)
  @Direct()
  async receive(@Req() request: FastifyRequest): Promise<string> {
    if (mediaTypeOf(request.headers['content-type']) === JSON_TYPE) return this.receiveJson(request);
    const body = bodyOf(request);
    const form = Form.parse(body.toString('utf8'));
    const signer = this.signature.assertForm(targetOf(request), form, signatureOf(request));
    return this.acceptForm(request, { form, body, contentType: request.headers['content-type'] ?? FORM_TYPE, signer });
  }

  @ApiOperation({ summary: 'The same from a webhook that is set to HTTP GET' })
  @Get(['', 'status', 'voice', 'conversations'])
  @HttpCode(200)
  @Door(TWILIO)
  @Header('content-type', XML)
  @Header('cache-control', 'no-store')
  @Direct()
  async receiveByGet(@Req() request: FastifyRequest): Promise<string> {
    const target = targetOf(request);
    const query = target.includes('?') ? target.slice(target.indexOf('?') + 1) : '';
    const form = Form.parse(query);
    const signer = this.signature.assertQuery(target, form, signatureOf(request));
    return this.acceptForm(request, { form, body: Buffer.from(query), contentType: FORM_TYPE, signer });
  }

  @ApiOperation({ summary: 'Twilio’s Event Streams: CloudEvents, one or a list' })
  @ApiBody({ schema: { type: 'array', items: { type: 'object' } } })
  @Post('events')
  @HttpCode(200)
  @Door(TWILIO)
  @Accepts(JSON_TYPE)
  @Header('content-type', XML)
  @Direct()
  async receiveJson(@Req() request: FastifyRequest): Promise<string> {
    const body = bodyOf(request);
    const signer = this.signature.assertJson(targetOf(request), body, signatureOf(request));
    openCloudEvents(body);
    await this.enqueue(request, body, request.headers['content-type'] ?? JSON_TYPE, signer);
    return EMPTY_TWIML;
  }

  private async acceptForm(request: FastifyRequest, { form, body, contentType, signer }: SignedForm): Promise<string> {
    if (form.isEmpty) throw new GatewayError('malformed_request', 'There are no parameters');
    await this.enqueue(request, body, contentType, signer);
    return this.answers.to(kindOf(routeOf(request), form), form);
  }

  private enqueue(request: FastifyRequest, body: Buffer, contentType: string, signer: string | undefined): Promise<void> {
    const attributes = attributesOf({ route: routeOf(request), token: headerOf(request, 'i-twilio-idempotency-token'), signer });
    return this.inbox.enqueue(TWILIO, TWILIO_QUEUE, { requestId: request.id, receivedAt: Date.now(), contentType, body, attributes });
  }
}

interface SignedForm {
  form: Form;
  body: Buffer;
  contentType: string;
  signer: string | undefined;
}

const signatureOf = (request: FastifyRequest): string | undefined => headerOf(request, 'x-twilio-signature');

/** Path and query as they came; a proxy may send the whole URL. */
const targetOf = (request: FastifyRequest): string => request.url.replace(/^https?:\/\/[^/?#]*/i, '');

/** By the route, not by the path as it came, which may be escaped. */
const routeOf = (request: FastifyRequest): Route => (request.routeOptions.url?.slice('/twilio/'.length) || 'message') as Route;
