import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OAuthVerifier } from './oauth-verifier';

export const X_APP = {
  consumerKey: 'the-consumer-key',
  consumerSecret: 'the-consumer-secret-of-the-tests',
  bearerToken: 'the-bearer-token%of=the+tests',
  envName: 'DEFAULT',
};

export interface Call {
  method: string;
  /** Without its query. */
  path: string;
  /** `app` (bearer), `consumer` (signed by it alone), or the id of the user whose token signed. */
  caller: string;
  status: number;
}

export interface Problem {
  status: number;
  body?: object;
}

interface Webhook {
  id: string;
  url: string;
  valid: boolean;
  createdAt: string;
}

interface User {
  id: string;
  secret: string;
}

/** A stand-in for the platform: its Account Activity API in both forms, which asks webhooks for checks and sends them events. */
export class XApi {
  readonly webhooks: Webhook[] = [];
  /** Ids of users by webhook. */
  readonly subscriptions = new Map<string, Set<string>>();
  /** What was called, and how that was answered. */
  readonly calls: Call[] = [];
  /** Where hosts of webhooks are in truth: the platform takes public names only. */
  readonly names = new Map<string, string>();
  /** How many subscriptions the app is granted. */
  granted = 15;
  /** Decides that a call fails; `hang` never answers. */
  fail: (call: Omit<Call, 'status'>) => Problem | 'hang' | undefined = () => undefined;
  /** By access token. */
  private readonly users = new Map<string, User>();
  private readonly oauth = new OAuthVerifier(({ consumerKey, token }) => {
    if (consumerKey !== X_APP.consumerKey) return undefined;
    const secret = token === '' ? '' : this.users.get(token)?.secret;
    return secret === undefined ? undefined : [X_APP.consumerSecret, secret];
  });

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => void this.take(request, response));
  }

  static async start(): Promise<XApi> {
    const server = createServer();
    const api = new XApi(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** All subscribed users, sorted. */
  get subscribed(): string[] {
    return [...this.subscriptions.values()].flatMap((users) => [...users]).sort();
  }

  /** How often something was called. */
  count(method: string, path: RegExp): number {
    return this.calls.filter((call) => call.method === method && path.test(call.path)).length;
  }

  /** The token of a user that has given the app its permission. */
  authorize(userId: string): { accessToken: string; accessTokenSecret: string } {
    const accessToken = `${userId}-${randomUUID()}`;
    const secret = `secret/of+${randomUUID()}`;
    this.users.set(accessToken, { id: userId, secret });
    return { accessToken, accessTokenSecret: secret };
  }

  /** The user takes the permission back: tokens and subscription are gone, and the webhook is told. */
  async revoke(userId: string): Promise<void> {
    for (const [token, user] of this.users) if (user.id === userId) this.users.delete(token);
    for (const users of this.subscriptions.values()) users.delete(userId);
    const revoke = { date_time: new Date().toISOString(), target: { app_id: '13090192' }, source: { user_id: userId } };
    await this.send(JSON.stringify({ user_event: { revoke } }));
  }

  /** Sends an event to every valid webhook. @returns the statuses. */
  send(body: string): Promise<number[]> {
    const signature = `sha256=${hmac(body)}`;
    const headers = { 'content-type': 'application/json', 'x-twitter-webhooks-signature': signature };
    const valid = this.webhooks.filter((webhook) => webhook.valid);
    return Promise.all(valid.map(async ({ url }) => (await fetch(this.real(url), { method: 'POST', headers, body })).status));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', this.url);
    const method = request.method ?? '';
    const caller = this.callerOf(method, url, request.headers.authorization ?? '');
    const call = { method, path: url.pathname, caller: caller ?? '' };
    const failure = this.fail(call);
    if (failure === 'hang') return void this.calls.push({ ...call, status: 0 });
    const answer = failure ?? (caller === undefined ? UNAUTHORIZED : await this.route(method, url, caller, Buffer.concat(chunks)));
    this.calls.push({ ...call, status: answer.status });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body && JSON.stringify(answer.body));
  }

  private callerOf(method: string, url: URL, authorization: string): string | undefined {
    if (authorization === `Bearer ${X_APP.bearerToken}`) return 'app';
    const by = this.oauth.verify(method, url, authorization);
    return by && (by.token === '' ? 'consumer' : this.users.get(by.token)?.id);
  }

  private route(method: string, url: URL, caller: string, body: Buffer): Problem | Promise<Problem> {
    for (const [wanted, pattern, by, answer] of this.routes()) {
      const match = method === wanted && pattern.exec(url.pathname);
      if (!match) continue;
      const isUser = caller !== 'app' && caller !== 'consumer';
      const isAllowed = by === 'app' ? caller === 'app' : by === 'user' ? isUser : caller === 'consumer' || isUser;
      if (!isAllowed) return { status: 403, body: { title: 'Unsupported Authentication', detail: `${caller} may not ${method} this` } };
      return answer({ id: decodeURIComponent(match[1] ?? ''), userId: match[2] ?? caller, url, body });
    }
    return { status: 404, body: { title: 'Not Found Error' } };
  }

  private routes(): Route[] {
    const env = `/1\\.1/account_activity/all/${X_APP.envName}`;
    const ofEnv = (): string => this.webhooks[0]?.id ?? '';
    const list = (id: string): object[] => [...(this.subscriptions.get(id) ?? [])].map((user_id) => ({ user_id }));
    const count = (): object => ({
      account_name: 'app',
      provisioned_count: String(this.granted),
      subscriptions_count_all: String(this.subscribed.length),
      subscriptions_count_direct_messages: '0',
    });
    const v1 = ({ createdAt, ...webhook }: Webhook): object => ({ ...webhook, created_timestamp: createdAt });
    const v2 = ({ createdAt, ...webhook }: Webhook): object => ({ ...webhook, created_at: createdAt });
    const webhooks = '/2/account_activity/webhooks/(\\d+)/subscriptions';
    return [
      ['GET', /^\/2\/webhooks$/, 'app', () => ok({ data: this.webhooks.map(v2), meta: { result_count: this.webhooks.length } })],
      [
        'POST',
        /^\/2\/webhooks$/,
        'app',
        ({ body }) => this.create((JSON.parse(body.toString()) as { url: string }).url, (made) => ({ data: v2(made) })),
      ],
      ['PUT', /^\/2\/webhooks\/(\d+)$/, 'app', ({ id }) => this.validate(id, { status: 200, body: { data: { valid: true } } })],
      [
        'GET',
        new RegExp(`^${webhooks}/all/list$`),
        'app',
        ({ id }) => ok({ data: { webhook_id: id, application_id: '13090192', subscriptions: list(id) } }),
      ],
      [
        'POST',
        new RegExp(`^${webhooks}/all$`),
        'user',
        ({ id, userId }) => this.subscribe(id, userId, { status: 200, body: { data: { subscribed: true } } }),
      ],
      [
        'DELETE',
        new RegExp(`^${webhooks}/(\\d+)/all$`),
        'app',
        ({ id, userId }) => this.unsubscribe(id, userId, { status: 200, body: { data: { subscribed: false } } }),
      ],
      ['GET', /^\/2\/account_activity\/subscriptions\/count$/, 'app', () => ok({ data: count() })],
      [
        'GET',
        /^\/1\.1\/account_activity\/all\/webhooks\.json$/,
        'app',
        () =>
          ok({
            environments: [
              { environment_name: 'other', webhooks: [] },
              { environment_name: X_APP.envName, webhooks: this.webhooks.map(v1) },
            ],
          }),
      ],
      ['POST', new RegExp(`^${env}/webhooks\\.json$`), 'owner', ({ url }) => this.create(url.searchParams.get('url') ?? '', v1, 1)],
      ['PUT', new RegExp(`^${env}/webhooks/(\\d+)\\.json$`), 'owner', ({ id }) => this.validate(id, { status: 204 })],
      [
        'GET',
        new RegExp(`^${env}/subscriptions/list\\.json$`),
        'app',
        () => ok({ environment: X_APP.envName, application_id: '13090192', subscriptions: list(ofEnv()) }),
      ],
      ['POST', new RegExp(`^${env}/subscriptions\\.json$`), 'user', ({ userId }) => this.subscribe(ofEnv(), userId, { status: 204 })],
      [
        'DELETE',
        new RegExp(`^${env}/subscriptions/()(\\d+)\\.json$`),
        'app',
        ({ userId }) => this.unsubscribe(ofEnv(), userId, { status: 204 }),
      ],
      ['GET', /^\/1\.1\/account_activity\/all\/(?:subscriptions\/)?count\.json$/, 'app', () => ok(count())],
    ];
  }

  private async create(url: string, show: (webhook: Webhook) => object, most = 5): Promise<Problem> {
    if (this.webhooks.some((webhook) => webhook.url === url)) return problem('DuplicateUrlFailed');
    if (this.webhooks.length >= most) return problem('WebhookLimitExceeded: Too many resources already created.');
    if (!/^https:\/\/[^:/]+\//.test(url)) return problem('UrlValidationFailed');
    if (!(await this.isChecked(url))) return problem('CrcValidationFailed');
    const webhook = { id: String(1_234_567_890 + this.webhooks.length), url, valid: true, createdAt: new Date().toISOString() };
    this.webhooks.push(webhook);
    return ok(show(webhook));
  }

  private async validate(id: string, done: Problem): Promise<Problem> {
    const webhook = this.webhooks.find((each) => each.id === id);
    if (!webhook) return problem('WebhookIdInvalid');
    webhook.valid = await this.isChecked(webhook.url);
    return webhook.valid ? done : problem('CrcValidationFailed');
  }

  private subscribe(id: string, userId: string, done: Problem): Problem {
    if (!this.webhooks.some((webhook) => webhook.id === id)) return problem('WebhookIdInvalid');
    const users = this.subscriptions.get(id) ?? new Set();
    if (users.has(userId)) {
      return done.status === 204
        ? { status: 409, body: { errors: [{ code: 355, message: 'Subscription already exists.' }] } }
        : problem('DuplicateSubscriptionFailed');
    }
    if (this.subscribed.length >= this.granted) return { ...problem('SubscriptionLimitExceeded'), status: 403 };
    this.subscriptions.set(id, users.add(userId));
    return done;
  }

  private unsubscribe(id: string, userId: string, done: Problem): Problem {
    return this.subscriptions.get(id)?.delete(userId) === true ? done : { status: 404, body: { title: 'Not Found Error' } };
  }

  /** The challenge-response check. */
  private async isChecked(url: string): Promise<boolean> {
    const token = randomUUID();
    try {
      const answer = await fetch(`${this.real(url)}?crc_token=${token}&nonce=${randomUUID()}`, { redirect: 'manual' });
      const body = (await answer.json()) as { response_token?: string };
      return answer.status === 200 && body.response_token === `sha256=${hmac(token)}`;
    } catch {
      return false;
    }
  }

  private real(url: string): string {
    const { origin, pathname } = new URL(url);
    return (this.names.get(origin) ?? origin) + pathname;
  }
}

type Answerer = (request: { id: string; userId: string; url: URL; body: Buffer }) => Problem | Promise<Problem>;
type Route = [method: string, path: RegExp, by: 'app' | 'owner' | 'user', answer: Answerer];

const ok = (body: object): Problem => ({ status: 200, body });
const problem = (message: string): Problem => ({
  status: 400,
  body: { title: 'Invalid Request', detail: 'One or more parameters to your request was invalid.', errors: [{ message }] },
});
const UNAUTHORIZED: Problem = { status: 401, body: { errors: [{ code: 32, message: 'Could not authenticate you.' }] } };

const hmac = (text: string): string => createHmac('sha256', X_APP.consumerSecret).update(text).digest('base64');
