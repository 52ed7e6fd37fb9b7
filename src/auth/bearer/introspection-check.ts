import type { Dispatcher } from 'undici';
import { ask, objectIn, unavailable } from './ask';
import type { IntrospectionConfig } from './bearer.config';
import { type BearerCheck, tenantOf } from './tenant';

/** RFC 7662. Any other answer than 200 is about ourselves (our client's secret, say), and no verdict on the token. */
export function introspectionCheck(agent: Dispatcher, { url, clientId, clientSecret, tenantClaim }: IntrospectionConfig): BearerCheck {
  const credentials = `${formEncoded(clientId ?? '')}:${formEncoded(clientSecret ?? '')}`;
  const headers = {
    accept: 'application/json',
    authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
    'content-type': 'application/x-www-form-urlencoded',
  };
  return async (token) => {
    const body = new URLSearchParams({ token, token_type_hint: 'access_token' }).toString();
    const answer = await ask(agent, url ?? '', { method: 'POST', headers, body });
    if (answer.status !== 200) throw unavailable(`it answered ${String(answer.status)}`);
    const told = objectIn(answer);
    if (told.member('active')?.text() !== 'true') return undefined;
    const tenant = tenantOf(told.member(tenantClaim));
    const expiresAt = Number(told.member('exp')?.text());
    return tenant && { tenant, ...(expiresAt > 0 && { expiresAtMs: expiresAt * 1_000 }) };
  };
}

/** As RFC 6749 has it for ids and secrets in HTTP Basic. */
const formEncoded = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1);
