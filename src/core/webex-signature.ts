import { type KeyObject, createHmac, timingSafeEqual } from 'node:crypto';
import { GatewayError } from './errors';

const SIGNATURE = /^[0-9a-f]{40}$/;

/**
 * Webex signs the bytes it sends with HMAC-SHA1 and the webhook's secret, in lower-case hex without a prefix.
 * @param header X-Spark-Signature.
 * @param keys One for each secret that is live; a signature by any of them counts.
 * @throws GatewayError `signature_missing`, `signature_invalid`.
 */
export function assertSignedByWebex(body: Buffer, header: string | undefined, keys: readonly KeyObject[]): void {
  if (header === undefined || header === '') throw new GatewayError('signature_missing', 'There is no X-Spark-Signature');
  if (!SIGNATURE.test(header)) throw new GatewayError('signature_invalid', 'X-Spark-Signature is not 40 hex digits in lower case');
  const given = Buffer.from(header, 'hex');
  const isSigned = keys.some((key) => timingSafeEqual(createHmac('sha1', key).update(body).digest(), given));
  if (!isSigned) throw new GatewayError('signature_invalid', 'X-Spark-Signature does not match the body');
}
