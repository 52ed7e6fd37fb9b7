import { randomBytes, randomUUID } from 'node:crypto';
import type { Tenant } from '../auth/bearer/tenant';

/** A webhook by a URL that a tenant had made for one event of one datasource. */
export interface TokenWebhook {
  id: string;
  tenant: Tenant;
  datasource: string;
  event: string;
  /** Where in the body the time stands; null: nobody said. */
  tsField: string | null;
  /** For whose host the URL is. */
  server: string;
  apiToken: string;
  token: string;
  /** Milliseconds since 1970. */
  createdAt: number;
}

const TOKEN_BYTES = 20;

export const newToken = (): string => randomBytes(TOKEN_BYTES).toString('hex');

export const newApiToken = (): string => randomUUID();

/** As the original answers; `tenantId` is of the type, and has the digits, that its access token's check told. */
export function viewOf(webhook: TokenWebhook): string {
  const { datasource, event, createdAt, apiToken, tenant, token, tsField } = webhook;
  const before = JSON.stringify({ datasource, event, createdAt, apiToken });
  const after = JSON.stringify({ token, ...(tsField !== null && { tsField }), hookUrl: hookUrlOf(webhook) });
  return `${before.slice(0, -1)},"tenantId":${tenant.idJson},${after.slice(1)}`;
}

/** With the event's older name beside it. */
export function viewForReaders(webhook: TokenWebhook): string {
  return `${viewOf(webhook).slice(0, -1)},"eventType":${JSON.stringify(webhook.event)}}`;
}

function hookUrlOf({ server, apiToken, token }: TokenWebhook): string {
  const host = server.startsWith('webhook') ? server : `webhook.${server}`;
  return `https://${host}/wh/${encodeURIComponent(apiToken)}/${token}`;
}
