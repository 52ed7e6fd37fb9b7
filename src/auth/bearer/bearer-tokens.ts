import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Dispatcher } from 'undici';
import { ConfigError } from '../../config/load-config';
import { DEFAULT_ACCOUNT } from '../../core/account-id';
import { GatewayError } from '../../core/errors';
import { Authenticator } from '../authenticator';
import { IntrospectionConfig, JwtConfig, StsConfig } from './bearer.config';
import { CheckedTokens } from './checked-tokens';
import { introspectionCheck } from './introspection-check';
import { jwtCheck } from './jwt-check';
import { stsCheck } from './sts-check';
import type { BearerCheck, Tenant } from './tenant';

/** The connections to services of the operator's own; it never leads to metadata addresses. */
export const OPERATORS_AGENT = Symbol('operators agent');

export class BearerConfigs {
  constructor(
    readonly sts: StsConfig,
    readonly introspection: IntrospectionConfig,
    readonly jwt: JwtConfig,
  ) {}
}

/** Whose an access token is, by the one way that the settings choose; without any, tokens are API keys of our own. */
@Injectable()
export class BearerTokens implements OnApplicationShutdown {
  private readonly logger = new Logger(BearerTokens.name);
  private readonly tokens: CheckedTokens | undefined;
  private isAway = false;

  /** @throws ConfigError when the settings choose several ways. */
  constructor(
    configs: BearerConfigs,
    private readonly authenticator: Authenticator,
    @Inject(OPERATORS_AGENT) private readonly agent: Dispatcher,
  ) {
    const check = chosen(configs, agent);
    this.tokens = check && new CheckedTokens(check);
  }

  /** @throws GatewayError `unauthorized`, `forbidden`, `token_check_unavailable`, `storage_unavailable`. */
  async tenantOf(token: string): Promise<Tenant> {
    const tenant = this.tokens === undefined ? await this.ownTenant(token) : await this.checked(this.tokens, token);
    if (tenant === undefined) throw new GatewayError('unauthorized', 'The access token is unknown, expired or revoked');
    return tenant;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.agent.destroy();
  }

  /** An admin's key is of the account `default`. */
  private async ownTenant(key: string): Promise<Tenant | undefined> {
    const principal = await this.authenticator.authenticate(key);
    if (principal === undefined) return undefined;
    const accountId = principal.accountId ?? DEFAULT_ACCOUNT;
    return { accountId, idJson: JSON.stringify(accountId) };
  }

  private async checked(tokens: CheckedTokens, token: string): Promise<Tenant | undefined> {
    try {
      const tenant = await tokens.tenantOf(token);
      this.tellAway(undefined);
      return tenant;
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'token_check_unavailable') this.tellAway(error.message);
      throw error;
    }
  }

  /** Once, not at each request of an outage. */
  private tellAway(reason: string | undefined): void {
    const isAway = reason !== undefined;
    if (isAway === this.isAway) return;
    this.isAway = isAway;
    if (isAway) this.logger.warn(reason);
    else this.logger.log('Access tokens can be checked again');
  }
}

function chosen({ sts, introspection, jwt }: BearerConfigs, agent: Dispatcher): BearerCheck | undefined {
  const ways: [setting: string, make: () => BearerCheck][] = [];
  const { url } = sts;
  if (url !== null) ways.push(['sts.url', () => stsCheck(agent, url)]);
  if (introspection.url !== null) ways.push(['accessTokens.introspection.url', () => introspectionCheck(agent, introspection)]);
  if (jwt.jwksUrl !== null) ways.push(['accessTokens.jwt.jwksUrl', () => jwtCheck(agent, jwt)]);
  if (ways.length > 1) {
    throw new ConfigError([`${ways.map(([setting]) => setting).join(', ')}: access tokens are checked in one way; set one of these`]);
  }
  return ways[0]?.[1]();
}
