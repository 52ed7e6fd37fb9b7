import { randomUUID } from 'node:crypto';
import { request } from 'undici';
import type { Gateway } from './gateway';

export interface Answer {
  status: number;
  text: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the assertions of the tests are its type
  body: any;
  headers: Record<string, string | string[] | undefined>;
}

export const SERVER = 'mydomain.gaiahub.io';
export const BODY = ' {"commits": [{"timestamp": "2016-01-02T03:04:05+02:00"}], "order": 12345678901234567890}\n';

/** What a tenant and its datasources ask of the token service. An answer that takes longer than 5 s is a failure. */
export class TokenWebhookClient {
  constructor(private readonly gateway: Gateway) {}

  async ask(method: string, path: string, headers: Record<string, string>, body: string | Buffer | null = null): Promise<Answer> {
    const answer = await request(this.gateway.url + path, { method: method as 'GET', headers, body, headersTimeout: 5_000 });
    const text = await answer.body.text();
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      parsed = undefined;
    }
    return { status: answer.statusCode, text, body: parsed, headers: answer.headers };
  }

  bearer(token = 'access-token'): Record<string, string> {
    return { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  }

  config(body: unknown, token?: string, headers: Record<string, string> = { 'x-orig-server': SERVER }): Promise<Answer> {
    return this.ask('POST', '/wh/config', { ...this.bearer(token), ...headers }, JSON.stringify(body));
  }

  /** The path of a new webhook's URL. */
  async hook(wishes: object = {}, token?: string): Promise<string> {
    const { status, text, body } = await this.config({ datasource: 'github', event: `e-${randomUUID()}`, ...wishes }, token);
    if (status !== 200) throw new Error(text);
    return new URL(body.hookUrl as string).pathname;
  }

  send(path: string, body: string | Buffer = BODY, headers: Record<string, string> = {}): Promise<Answer> {
    return this.ask('POST', path, { 'content-type': 'application/json', ...headers }, body);
  }
}
