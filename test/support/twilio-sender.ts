import { createHash } from 'node:crypto';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';

/** Under which Twilio thinks that it calls the gateway; the gateway itself listens elsewhere, as behind a proxy. */
export const PUBLIC_URL = 'https://gw.example.com';
export const AUTH_TOKEN = '0123456789abcdef0123456789abcdef';

export interface TwilioRequest {
  path: string;
  headers: Record<string, string>;
}

/** As Twilio signs a form, by its own SDK. @param path With its query. */
export function signForm(path: string, body: string | Buffer, { token = AUTH_TOKEN, url = PUBLIC_URL } = {}): TwilioRequest {
  const signature = getExpectedTwilioSignature(token, url + path, parametersOf(body.toString()));
  return { path, headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature } };
}

/** The hash of the body goes into the URL, which alone is signed. */
export function signJson(path: string, body: string | Buffer, { token = AUTH_TOKEN, url = PUBLIC_URL } = {}): TwilioRequest {
  const hash = createHash('sha256').update(body).digest('hex');
  const target = `${path}${path.includes('?') ? '&' : '?'}bodySHA256=${hash}`;
  const signature = getExpectedTwilioSignature(token, url + target, {});
  return { path: target, headers: { 'content-type': 'application/json', 'x-twilio-signature': signature } };
}

/** A GET has its parameters in the path. */
export function signGet(path: string, { token = AUTH_TOKEN, url = PUBLIC_URL } = {}): TwilioRequest {
  return { path, headers: { 'x-twilio-signature': getExpectedTwilioSignature(token, url + path, {}) } };
}

function parametersOf(form: string): Record<string, string | string[]> {
  const parameters = Object.create(null) as Record<string, string | string[]>;
  const decoded = new URLSearchParams(form);
  for (const name of new Set(decoded.keys())) {
    // A copy: the SDK knows no arrays of another realm, such as Node's under jest.
    const values = [...decoded.getAll(name)];
    parameters[name] = values.length === 1 ? values[0]! : values;
  }
  return parameters;
}
