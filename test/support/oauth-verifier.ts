import { createHmac } from 'node:crypto';

const CLOCK_TOLERANCE_S = 300;

/** By RFC 5849: percent-encodes all but unreserved characters. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

export interface SignedBy {
  consumerKey: string;
  /** Empty when the consumer signed alone. */
  token: string;
}

/** Checks OAuth 1.0a headers (HMAC-SHA1) as a provider does; written by the RFC, apart from what makes them. */
export class OAuthVerifier {
  private readonly nonces = new Set<string>();

  /** @param secretsOf The secrets of a consumer and its token; undefined when one of them is unknown. */
  constructor(private readonly secretsOf: (by: SignedBy) => [consumerSecret: string, tokenSecret: string] | undefined) {}

  /** Who signed; undefined where nobody did as is right. */
  verify(method: string, url: URL, header: string): SignedBy | undefined {
    const parameters = new Map<string, string>();
    if (!header.startsWith('OAuth ')) return undefined;
    for (const part of header.slice('OAuth '.length).split(',')) {
      const [, name, value] = /^\s*([^=\s]+)="([^"]*)"\s*$/.exec(part) ?? [];
      if (name === undefined || value === undefined) return undefined;
      parameters.set(decodeURIComponent(name), decodeURIComponent(value));
    }
    const given = parameters.get('oauth_signature');
    parameters.delete('oauth_signature');
    const by: SignedBy = { consumerKey: parameters.get('oauth_consumer_key') ?? '', token: parameters.get('oauth_token') ?? '' };
    const secrets = this.secretsOf(by);
    const nonce = `${parameters.get('oauth_timestamp')} ${parameters.get('oauth_nonce')}`;
    const isFresh = Math.abs(Number(parameters.get('oauth_timestamp')) - Date.now() / 1_000) <= CLOCK_TOLERANCE_S;
    if (!secrets || !isFresh || this.nonces.has(nonce) || parameters.get('oauth_nonce') === undefined) return undefined;
    if (parameters.get('oauth_signature_method') !== 'HMAC-SHA1' || parameters.get('oauth_version') !== '1.0') return undefined;
    this.nonces.add(nonce);

    const pairs = [...parameters, ...url.searchParams].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort();
    const base = [method.toUpperCase(), `${url.origin}${url.pathname}`, pairs.join('&')].map(encode).join('&');
    const signature = createHmac('sha1', secrets.map(encode).join('&')).update(base).digest('base64');
    return signature === given ? by : undefined;
  }
}
