import { codeAt, readSecret } from '../../../auth/one-time-password';
import type { OutgoingRequest } from '../../../dispatcher/delivery/http/http-sender';
import { UnsendableError } from '../../../dispatcher/delivery/request-builders';

export interface CodedCall {
  url: string;
  /** Base32. */
  secret: string;
  /** The event's: the same at each attempt. */
  id: string;
  body: object;
  timeoutMs: number;
}

/** A call of a service of the operator's own, with a one-time password of this moment. @throws UnsendableError. */
export function codedRequest({ url, secret, id, body, timeoutMs }: CodedCall): OutgoingRequest {
  const bytes = readSecret(secret);
  if (bytes === undefined) throw new UnsendableError('not_configured');
  const headers = { 'content-type': 'application/json', 'user-agent': 'Hookline', 'webhook-id': id, 'x-otp': codeAt(bytes, Date.now()) };
  return { url, headers: Object.entries(headers).flat(), body: Buffer.from(JSON.stringify(body)), timeoutMs, isOperators: true };
}
