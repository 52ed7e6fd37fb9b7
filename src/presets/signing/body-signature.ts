import { GatewayError } from '../../core/errors';
import type { HmacScheme } from './scheme';
import { hmacKey, hmacReader, isHmac } from './verifier';

export type BodySignature = (body: Buffer, header: string | undefined) => void;

/**
 * For a door of one platform, where a signature is of the body alone: what it throws is GatewayError `channel_not_configured`,
 * `signature_missing`, `signature_invalid`.
 * @param setting Where the secrets are set.
 */
export function bodySignature(scheme: HmacScheme, secrets: readonly string[], setting: string): BodySignature {
  const keys = secrets.map((secret) => hmacKey(scheme, secret));
  const signaturesOf = hmacReader(scheme);
  const [title] = scheme.headers;
  const name = title.toLowerCase();
  return (body, header) => {
    if (keys.length === 0) throw new GatewayError('channel_not_configured', `${setting} is not set`);
    const given = signaturesOf({ headers: { [name]: header } });
    if (!keys.some((key) => isHmac(scheme, key, [body], given))) {
      throw new GatewayError('signature_invalid', `${title} does not match ${scheme.signs}`);
    }
  };
}
