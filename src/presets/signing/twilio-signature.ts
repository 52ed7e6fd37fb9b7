import { type KeyObject, createHash, timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../../core/errors';
import { mediaTypeOf } from '../../core/media-type';
import type { SignedRequest, Verifier } from '../preset';
import { isJsonType } from '../request/body';
import { Form } from '../request/form';
import { queryOf } from '../request/query';
import type { HmacScheme, SignedContent } from './scheme';
import { signedUrls } from './twilio-urls';
import { hmacKey, hmacReader, isHmac } from './verifier';

/** A token for every account, or `<AccountSid>:<token>`. */
export const AUTH_TOKEN = /^(?:(?<account>AC[0-9A-Za-z]+):)?(?<token>[^\s:]+)$/;

const SHA256 = /^[0-9a-f]{64}$/;
const MISMATCH = 'X-Twilio-Signature fits neither an auth token nor the URL, which begins with hookServer.publicUrl';

/** The whole URL that Twilio called, for a request's target. @throws GatewayError `channel_not_configured`. */
export type UrlOf = (target: string) => string;

/** HMAC-SHA1 with an auth token, over the URL that Twilio called and, of a form, its parameters. */
export const twilioScheme = (urlOf: UrlOf): HmacScheme => ({
  headers: ['X-Twilio-Signature'],
  prefix: '',
  algorithm: 'sha1',
  encoding: 'base64',
  keyForm: 'account-token',
  signs: 'the URL and the parameters',
  contents(request) {
    const url = urlOf(request.target);
    if (request.method === 'GET') return contentsOf(url, '');
    if (isJson(request)) {
      assertHash(request.target, request.body);
      return contentsOf(url, '');
    }
    return contentsOf(url, Form.parse(request.body.toString('utf8')).signedText());
  },
});

interface AuthToken {
  /** The only account that it may sign for; undefined: any. */
  account: string | undefined;
  key: KeyObject;
}

/**
 * Each method gives the account whose token signed if the token was set for one account, and throws GatewayError
 * `channel_not_configured`, `signature_missing` or `signature_invalid`. Targets are path and query as they came.
 */
export class TwilioVerifier implements Verifier {
  private readonly scheme: HmacScheme;
  private readonly tokens: readonly AuthToken[];
  private readonly signaturesOf: ReturnType<typeof hmacReader>;

  /** @param authTokens As `AUTH_TOKEN`. */
  constructor(
    private readonly urlOf: UrlOf,
    authTokens: readonly string[],
  ) {
    this.scheme = twilioScheme(urlOf);
    this.signaturesOf = hmacReader(this.scheme);
    this.tokens = authTokens.map((entry) => ({ account: AUTH_TOKEN.exec(entry)?.groups?.['account'], key: hmacKey(this.scheme, entry) }));
  }

  assertValid(request: SignedRequest): string | undefined {
    const { target, body, headers } = request;
    const header = headers['x-twilio-signature'] as string | undefined;
    if (request.method === 'GET') return this.assertQuery(target, Form.parse(target.split('?').slice(1).join('?')), header);
    return isJson(request) ? this.assertJson(target, body, header) : this.assertForm(target, Form.parse(body.toString('utf8')), header);
  }

  /** The body of a POST. */
  assertForm(target: string, form: Form, header: string | undefined): string | undefined {
    return this.signerOf(header, target, form.signedText(), form);
  }

  /** A GET: the URL says everything. */
  assertQuery(target: string, form: Form, header: string | undefined): string | undefined {
    return this.signerOf(header, target, '', form);
  }

  /** The URL holds the body's SHA-256. Of whom the body speaks is not read before, so every token may have signed it. */
  assertJson(target: string, body: Buffer, header: string | undefined): string | undefined {
    const signer = this.signerOf(header, target, '');
    assertHash(target, body);
    return signer;
  }

  private signerOf(header: string | undefined, target: string, parameters: string, form?: Form): string | undefined {
    if (this.tokens.length === 0) throw new GatewayError('channel_not_configured', 'There is no auth token');
    const given = this.signaturesOf({ headers: { 'x-twilio-signature': header } });
    const tokens = form === undefined ? this.tokens : this.tokensFor(form);
    for (const content of contentsOf(this.urlOf(target), parameters)) {
      for (const { account, key } of tokens) if (isHmac(this.scheme, key, content, given)) return account;
    }
    throw new GatewayError('signature_invalid', MISMATCH);
  }

  private tokensFor(form: Form): readonly AuthToken[] {
    const accountSid = form.get('AccountSid');
    const tokens = this.tokens.filter(({ account }) => account === undefined || account === accountSid);
    if (tokens.length === 0) throw new GatewayError('signature_invalid', 'There is no auth token for the AccountSid of the request');
    return tokens;
  }
}

function* contentsOf(url: string, parameters: string): Generator<SignedContent> {
  // Made once: what is hashed for each URL and token may be as large as a body.
  const bytes = Buffer.from(parameters);
  for (const form of signedUrls(url)) yield [form, bytes];
}

function assertHash(target: string, body: Buffer): void {
  const hash = [queryOf(target)['bodySHA256']].flat()[0];
  if (hash === undefined || !SHA256.test(hash)) {
    throw new GatewayError('signature_invalid', 'The URL of a JSON request must have bodySHA256, 64 hex digits');
  }
  if (!timingSafeEqual(createHash('sha256').update(body).digest(), Buffer.from(hash, 'hex'))) {
    throw new GatewayError('signature_invalid', 'bodySHA256 does not match the body');
  }
}

const isJson = ({ headers }: SignedRequest): boolean => isJsonType(mediaTypeOf(headers['content-type']));
