import { Injectable } from '@nestjs/common';
import { type KeyObject, createHash, createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { ServerConfig } from '../../config/app.config';
import { GatewayError } from '../../core/errors';
import { AUTH_TOKEN, TwilioConfig } from './twilio.config';
import type { Form } from '../../presets/request/form';
import { SignedUrls } from './twilio.urls';

/** The channel, its doors, its application and the ledger's source. */
export const TWILIO = 'twilio';

/** 20 bytes in base64. */
const SIGNATURE = /^[A-Za-z0-9+/]{27}=$/;
const SHA256 = /^[0-9a-f]{64}$/;

interface AuthToken {
  /** The only account that it may sign for; undefined: any. */
  account: string | undefined;
  key: KeyObject;
}

/**
 * Checks X-Twilio-Signature: HMAC-SHA1 with an auth token, over the URL that Twilio called and, of a form, its parameters.
 *
 * Each method takes the request's target (path and query as they came) and the header, gives the account whose token signed if
 * the token was set for one account, and throws GatewayError `channel_not_configured`, `signature_missing` or `signature_invalid`.
 */
@Injectable()
export class TwilioSignature {
  private readonly tokens: readonly AuthToken[];
  private readonly urls: SignedUrls | undefined;

  constructor(config: TwilioConfig, { publicUrl }: ServerConfig) {
    this.tokens = config.authToken.map((entry) => {
      const { account, token = '' } = AUTH_TOKEN.exec(entry)?.groups ?? {};
      return { account, key: createSecretKey(token, 'utf8') };
    });
    this.urls = publicUrl === null ? undefined : new SignedUrls(publicUrl);
  }

  /** The body of a POST. */
  assertForm(target: string, form: Form, header: string | undefined): string | undefined {
    const { urls, given } = this.prepare(header);
    return signerOf(given, urls.of(target), form.signedText(), this.tokensFor(form));
  }

  /** A GET: the URL says everything. */
  assertQuery(target: string, form: Form, header: string | undefined): string | undefined {
    const { urls, given } = this.prepare(header);
    return signerOf(given, urls.of(target), '', this.tokensFor(form));
  }

  /** The URL holds the body's SHA-256. Of whom the body speaks is not read before, so every token may have signed it. */
  assertJson(target: string, body: Buffer, header: string | undefined): string | undefined {
    const { urls, given } = this.prepare(header);
    const signer = signerOf(given, urls.of(target), '', this.tokens);
    assertHash(target, body);
    return signer;
  }

  private prepare(header: string | undefined): { urls: SignedUrls; given: Buffer } {
    if (this.urls === undefined) throw new GatewayError('channel_not_configured', 'hookServer.publicUrl is not set');
    if (this.tokens.length === 0) throw new GatewayError('channel_not_configured', 'hookServer.twilio.authToken is not set');
    if (header === undefined || header === '') throw new GatewayError('signature_missing', 'There is no X-Twilio-Signature');
    if (!SIGNATURE.test(header)) throw new GatewayError('signature_invalid', 'X-Twilio-Signature is not 20 bytes in base64');
    return { urls: this.urls, given: Buffer.from(header) };
  }

  private tokensFor(form: Form): readonly AuthToken[] {
    const accountSid = form.get('AccountSid');
    const tokens = this.tokens.filter(({ account }) => account === undefined || account === accountSid);
    if (tokens.length === 0) throw new GatewayError('signature_invalid', 'There is no auth token for the AccountSid of the request');
    return tokens;
  }
}

function signerOf(given: Buffer, urls: Iterable<string>, parameters: string, tokens: readonly AuthToken[]): string | undefined {
  // Made once: what is hashed for each URL and token may be as large as a body.
  const bytes = Buffer.from(parameters);
  for (const url of urls) {
    for (const { account, key } of tokens) {
      const expected = createHmac('sha1', key).update(url).update(bytes).digest('base64');
      if (timingSafeEqual(given, Buffer.from(expected))) return account;
    }
  }
  throw new GatewayError(
    'signature_invalid',
    'X-Twilio-Signature fits neither an auth token nor the URL, which begins with hookServer.publicUrl',
  );
}

function assertHash(target: string, body: Buffer): void {
  const hash = new URLSearchParams(target.split('?').slice(1).join('?')).get('bodySHA256');
  if (hash === null || !SHA256.test(hash)) {
    throw new GatewayError('signature_invalid', 'The URL of a JSON request must have bodySHA256, 64 hex digits');
  }
  if (!timingSafeEqual(createHash('sha256').update(body).digest(), Buffer.from(hash, 'hex'))) {
    throw new GatewayError('signature_invalid', 'bodySHA256 does not match the body');
  }
}
