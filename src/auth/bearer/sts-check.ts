import type { Dispatcher } from 'undici';
import { ask, objectIn, unavailable } from './ask';
import { type BearerCheck, tenantOf } from './tenant';

/** Asked too often, or too slowly: nothing is said of the token. */
const NO_VERDICT: ReadonlySet<number> = new Set([408, 425, 429]);

/** `GET <url>/sts/oauth/check_token?token=…` → `{tenantId}`; a 4xx is the STS's no. */
export function stsCheck(agent: Dispatcher, url: string): BearerCheck {
  const base = `${url.replace(/\/+$/, '')}/sts/oauth/check_token?token=`;
  return async (token) => {
    const answer = await ask(agent, base + encodeURIComponent(token), { method: 'GET', headers: { accept: 'application/json' } });
    const { status } = answer;
    if (status >= 400 && status < 500 && !NO_VERDICT.has(status)) return undefined;
    if (status !== 200) throw unavailable(`it answered ${String(status)}`);
    const tenant = tenantOf(objectIn(answer).member('tenantId'));
    return tenant && { tenant };
  };
}
