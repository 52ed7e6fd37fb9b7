import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { OAuth } from 'oauth';
import { Agent, type Dispatcher, request } from 'undici';
import { cleanText } from '../../../core/clean-text';
import { EgressGuard, OPERATORS_RULES } from '../../../dispatcher/delivery/egress/egress-guard';
import { failureCodeOf } from '../../../dispatcher/delivery/http/failure-code';
import type { OAuthToken } from '../../../dispatcher/registry/identity-credentials';
import { TwitterConfig } from '../twitter.config';

const CONNECT_TIMEOUT_MS = 5_000;
/** One call, from connect to the last byte. */
const CALL_TIMEOUT_MS = 15_000;
const MAX_ANSWER_BYTES = 4 * 1_024 * 1_024;
const MAX_SHOWN = 300;

const PLATFORM = { 'v1.1': 'https://api.twitter.com', v2: 'https://api.x.com' };

/** The app itself; the app by a signature, for the user that owns it where that one's token is set; a user by its token. */
export type Caller = 'app' | 'owner' | OAuthToken;

/** A call that the platform did not answer with 2xx. The message tells which and why; it holds no key and no token. */
export class XApiError extends Error {
  override readonly name = 'XApiError';

  constructor(
    message: string,
    /** Null when there was no answer. */
    readonly status: number | null,
  ) {
    super(message);
  }
}

/** Calls of the platform's API, for the forms that it has. */
@Injectable()
export class XApi implements OnApplicationShutdown {
  private readonly base: string;
  private readonly signer: OAuth;
  private readonly agent: Agent;

  constructor(private readonly config: TwitterConfig) {
    this.base = (config.apiUrl ?? PLATFORM[config.api]).replace(/\/+$/, '');
    this.signer = new OAuth('', '', config.consumerKey ?? '', config.consumerSecret[0] ?? '', '1.0', null, 'HMAC-SHA1');
    this.agent = new Agent({
      connect: new EgressGuard(OPERATORS_RULES).connector({ timeout: CONNECT_TIMEOUT_MS }),
      connections: 4,
      maxResponseSize: MAX_ANSWER_BYTES,
    });
  }

  /**
   * @param path With its query; not with anything secret, since errors tell it.
   * @returns The answer's JSON; undefined where it has no body.
   * @throws XApiError
   */
  async call(method: Dispatcher.HttpMethod, path: string, caller: Caller, body?: object): Promise<unknown> {
    const url = this.base + path;
    const headers = { authorization: this.authorization(method, url, caller), accept: 'application/json' };
    const content = body === undefined ? undefined : JSON.stringify(body);
    const { status, text } = await this.send(method, url, path, content === undefined ? headers : { ...headers, ...JSON_TYPE }, content);
    if (status < 200 || status >= 300) {
      throw new XApiError(`${method} ${path} was answered ${String(status)}${this.shown(reasonIn(text), caller)}`, status);
    }
    try {
      return text === '' ? undefined : (JSON.parse(text) as unknown);
    } catch {
      throw new XApiError(`${method} ${path} was answered with something that is no JSON`, status);
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.agent.destroy();
  }

  private async send(
    method: Dispatcher.HttpMethod,
    url: string,
    path: string,
    headers: Record<string, string>,
    body?: string,
  ): Promise<{ status: number; text: string }> {
    try {
      const signal = AbortSignal.timeout(CALL_TIMEOUT_MS);
      const answer = await request(url, { method, headers, body: body ?? null, dispatcher: this.agent, signal });
      return { status: answer.statusCode, text: await answer.body.text() };
    } catch (error) {
      const isLate = error instanceof Error && error.name === 'TimeoutError';
      throw new XApiError(`${method} ${path} got no answer: ${isLate ? 'timeout' : failureCodeOf(error)}`, null);
    }
  }

  private authorization(method: string, url: string, caller: Caller): string {
    if (caller === 'app') return `Bearer ${this.config.bearerToken ?? ''}`;
    const { accessToken, accessTokenSecret } = caller === 'owner' ? this.owner() : caller;
    return this.signer.authHeader(url, accessToken, accessTokenSecret, method);
  }

  /** Without a token the consumer's key alone signs. */
  private owner(): OAuthToken {
    return { accessToken: this.config.accessToken ?? '', accessTokenSecret: this.config.accessTokenSecret ?? '' };
  }

  /** What the platform says of an error is shown to whoever may read the channel's state: nothing secret, though it were echoed. */
  private shown(reason: string, caller: Caller): string {
    const { bearerToken, consumerSecret, accessToken, accessTokenSecret } = this.config;
    const ofCaller = typeof caller === 'string' ? [] : [caller.accessToken, caller.accessTokenSecret];
    let text = reason;
    for (const secret of [bearerToken, ...consumerSecret, accessToken, accessTokenSecret, ...ofCaller]) {
      if (secret) text = text.replaceAll(secret, '***');
    }
    return text === '' ? '' : `: ${cleanText(text, MAX_SHOWN)}`;
  }
}

const JSON_TYPE = { 'content-type': 'application/json' };

interface Problem {
  title?: unknown;
  detail?: unknown;
  errors?: unknown;
}

/** v1.1 says `{errors: [{code, message}]}`, v2 `{title, detail, errors: [{message}]}`. */
function reasonIn(text: string): string {
  let problem: Problem;
  try {
    problem = (JSON.parse(text) ?? {}) as Problem;
  } catch {
    return '';
  }
  const errors = Array.isArray(problem.errors) ? (problem.errors as unknown[]) : [];
  const messages = errors.map((error) => (typeof error === 'object' && error !== null ? (error as { message?: unknown }).message : error));
  const said = [problem.title, problem.detail, ...messages].filter((part) => typeof part === 'string' && part !== '');
  return [...new Set(said)].join('; ');
}
