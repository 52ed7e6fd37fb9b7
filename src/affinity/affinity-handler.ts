import { Injectable, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import { HttpConfig } from '../config/app.config';
import { GatewayError } from '../core/errors';
import { webexId } from '../core/webex-id';
import { Metrics } from '../metrics/metrics.service';
import { type BodySignature, bodySignature } from '../presets/signing/body-signature';
import { WEBEX_SCHEME } from '../presets/webex';
import { actorOf } from './actor';
import { cookieChange, withCookie } from './affinity-cookie';
import { AffinityConfig } from './affinity.config';
import { pass } from './passing';
import { type Body, readBody } from './read-body';
import { codeOf, refusalOf, refusalOfTarget } from './refusal';
import { AffinitySessions, type Session } from './sessions';

/** Who caused a request, and the session that it goes with. */
interface Affinity {
  actor: string;
  session: Session | undefined;
}

/** Passes requests on: who is the actor, where to, and what the answer tells of that. */
@Injectable()
export class AffinityHandler {
  private readonly logger = new Logger('Affinity');
  private readonly assertSigned: BodySignature | undefined;
  private readonly actorPath: readonly string[];
  private readonly actorHeader: string;
  private readonly bot: string | undefined;
  private isTargetAway = false;

  constructor(
    private readonly config: AffinityConfig,
    private readonly http: HttpConfig,
    private readonly sessions: AffinitySessions,
    private readonly metrics: Metrics,
  ) {
    this.assertSigned = config.secret.length === 0 ? undefined : bodySignature(WEBEX_SCHEME, config.secret, 'affinity.secret');
    this.actorPath = config.actorPath.split('.');
    this.actorHeader = config.headerName.toLowerCase();
    this.bot = config.botPersonId === null ? undefined : webexId(config.botPersonId);
  }

  /** Answers in any case; never throws. */
  async handle(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) this.metrics.affinityRequests.inc({ outcome: 'gone' });
    });
    try {
      const target = originForm(request.originalUrl);
      const body = await readBody(request.raw, this.assertSigned, this.http.maxBodyBytes);
      const affinity = await this.affinityOf(request.method, body);
      if (!reply.raw.destroyed) this.pass(request, reply, target, body, affinity);
    } catch (error) {
      this.refuse(reply, error);
    }
  }

  /** undefined when nothing is to be added or kept. */
  private async affinityOf(method: string, body: Body): Promise<Affinity | undefined> {
    const actor = method === 'POST' && Buffer.isBuffer(body) ? actorOf(body, this.actorPath) : undefined;
    if (actor === undefined || this.isBot(actor)) return undefined;
    return { actor, session: this.config.mode === 'cookie' ? await this.sessions.find(actor) : undefined };
  }

  private isBot(actor: string): boolean {
    return this.bot !== undefined && webexId(actor) === this.bot;
  }

  private pass(request: FastifyRequest, reply: FastifyReply, target: string, body: Body, affinity: Affinity | undefined): void {
    pass(request, reply, {
      target,
      body,
      mark: (headers) => this.mark(headers, affinity),
      answered: async (headers) => {
        this.targetIs(undefined);
        this.metrics.affinityRequests.inc({ outcome: 'answered' });
        if (affinity !== undefined && this.config.mode === 'cookie') await this.learn(affinity, headers['set-cookie'] ?? []);
      },
      failed: (error) => {
        if (reply.raw.destroyed) return;
        this.targetIs(codeOf(error));
        this.refuse(reply, refusalOfTarget(error));
      },
    });
  }

  private mark(headers: IncomingHttpHeaders, affinity: Affinity | undefined): void {
    delete headers[this.actorHeader];
    if (affinity === undefined) return;
    headers[this.actorHeader] = affinity.actor;
    const value = affinity.session?.value ?? undefined;
    if (value !== undefined) headers.cookie = withCookie(headers.cookie, this.config.cookieName, value);
  }

  private async learn({ actor, session }: Affinity, setCookies: string | readonly string[]): Promise<void> {
    const { cookieName, ttl } = this.config;
    const change = cookieChange([setCookies].flat(), { name: cookieName, ttlMs: ttl * 1_000, nowMs: Date.now() });
    if (change !== undefined) await this.sessions.learn(actor, session, change);
  }

  /** One line when the target goes away and one when it is back, whatever the number of requests. */
  private targetIs(away: string | undefined): void {
    if (this.isTargetAway === (away !== undefined)) return;
    this.isTargetAway = away !== undefined;
    if (away === undefined) this.logger.log('The target answers again');
    else this.logger.warn(`The target does not answer (${away})`);
  }

  private refuse(reply: FastifyReply, thrown: unknown): void {
    if (reply.raw.destroyed) return;
    const error = thrown instanceof GatewayError ? thrown : new GatewayError('internal_error');
    if (error !== thrown) this.logger.error({ err: thrown }, 'A request failed');
    this.metrics.affinityRequests.inc({ outcome: OUTCOMES[error.code] ?? 'refused' });
    void reply.code(error.status).send(refusalOf(error));
  }
}

const OUTCOMES: Readonly<Record<string, string>> = { target_unreachable: 'unreachable', target_timeout: 'timeout' };

/** Path and query of a request's target, which may be a whole URL. @throws GatewayError `malformed_request`. */
function originForm(target: string): string {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '');
  if (path.startsWith('/')) return path;
  if (path !== target) return `/${path}`;
  throw new GatewayError('malformed_request', 'The target of the request is no path');
}
