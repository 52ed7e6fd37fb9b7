import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { createHash } from 'node:crypto';
import type { Server } from 'node:http';
import { isOutage } from '../../../core/errors';
import { IdentityCredentials, type PlatformIdentity } from '../../../dispatcher/registry/identity-credentials';
import { Chore } from '../../../storage/chore';
import { RegistryVersion } from '../../../storage/registry-version';
import { Storage } from '../../../storage/storage';
import { TWITTER } from '../twitter.signature';
import { type KeeperState, NOTHING_KEPT, viewOf } from './keeper-state';
import { KeeperSettings } from './keeper-settings';
import { type Standing, runRound } from './round';
import { XApiError } from './x-api';

/** How often a process looks whether it is time for a round, at most. */
const LOOK_MS = 10_000;

/**
 * Keeps the platform's webhook and subscriptions as the identities' tokens ask for; one process at a time does. A round comes every
 * subscribeInterval, soon after an identity has changed, and sleepAfterError after an error.
 */
@Injectable()
export class SubscriptionKeeper implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(SubscriptionKeeper.name);
  private readonly chore: Chore<KeeperState>;
  /** The identities that this process saw last. */
  private seen: string | undefined;

  constructor(
    storage: Storage,
    private readonly credentials: IdentityCredentials,
    private readonly settings: KeeperSettings,
    version: RegistryVersion,
    private readonly http: HttpAdapterHost,
  ) {
    const everyMs = Math.min(LOOK_MS, settings.intervalMs, settings.sleepAfterErrorMs);
    this.chore = new Chore<KeeperState>(storage, { name: 'twitter-subscriptions', everyMs }, (state, isStopped) =>
      this.turn(state ?? NOTHING_KEPT, isStopped),
    );
    // The others that are told do not wait for the platform.
    version.onChange(() => {
      void this.look();
      return Promise.resolve();
    });
  }

  /** Not before the door is open: whoever makes a webhook is asked there at once. */
  onApplicationBootstrap(): void {
    const { isEnabled, missing } = this.settings;
    if (isEnabled && missing.length > 0) {
      this.logger.warn(`Subscriptions of X (docs/channels/twitter.md) are not kept without ${missing.join(' and ')}`);
    }
    if (!this.settings.isOn) return;
    const server = this.http.httpAdapter.getHttpServer() as Server;
    if (server.listening) this.chore.start();
    else server.once('listening', () => this.chore.start());
  }

  async onModuleDestroy(): Promise<void> {
    await this.chore.stop();
  }

  /** What there is to tell of it; the same in every process. */
  async state(): Promise<Record<string, unknown>> {
    return viewOf(await this.lastState(), this.settings);
  }

  async lastState(): Promise<KeeperState> {
    return (await this.chore.state()) ?? NOTHING_KEPT;
  }

  /** A turn if nobody has one; it begins a round where that is due. */
  async turnNow(): Promise<void> {
    await this.chore.wake();
  }

  /** A changed identity is not left until the next look. */
  private async look(): Promise<void> {
    if (!this.settings.isOn) return;
    try {
      const known = this.seen;
      this.seen = fingerprintOf(await this.credentials.list(TWITTER));
      if (known !== undefined && known !== this.seen) await this.chore.wake();
    } catch (error) {
      // The next look of the chore sees it.
      if (!isOutage(error)) this.logger.error({ err: error }, 'The identities cannot be read');
    }
  }

  private async turn(state: KeeperState, isStopped: () => boolean): Promise<KeeperState> {
    const now = Date.now();
    const identities = await this.credentials.list(TWITTER);
    const fingerprint = fingerprintOf(identities);
    // Further away than any wait: it was set before the clock went back.
    const isDue = now >= state.nextAt || state.nextAt > now + Math.max(this.settings.intervalMs, this.settings.sleepAfterErrorMs);
    if (!isDue && (state.isPaused || fingerprint === state.identities)) return state;
    return this.round({ ...state, identities: fingerprint }, identities, isStopped);
  }

  private async round(state: KeeperState, identities: readonly PlatformIdentity[], isStopped: () => boolean): Promise<KeeperState> {
    const { api, limits, webhookUrl, intervalMs, sleepAfterErrorMs } = this.settings;
    const open = (identity: PlatformIdentity) => this.credentials.open(TWITTER, identity);
    const { webhook, subscribed, foreign, waiting, refused } = state;
    const standing: Standing = { webhook, subscribed, foreign, waiting, refused };
    let message: string | undefined;
    let isPaused = false;
    try {
      await runRound(api, { ...limits, webhookUrl, identities, open, isStopped }, standing);
      message = standing.refused[0]?.reason;
    } catch (error) {
      if (!(error instanceof XApiError)) throw error;
      message = error.message;
      isPaused = true;
    }
    const at = Date.now();
    const isFailing = message !== undefined;
    this.tell(state, message);
    const waitMs = isFailing ? sleepAfterErrorMs : isStopped() ? 0 : intervalMs;
    return {
      ...standing,
      identities: state.identities,
      checkedAt: at,
      nextAt: at + waitMs,
      isFailing,
      isPaused,
      error: message === undefined ? state.error : { at, message },
    };
  }

  /** Once for each error that lasts. */
  private tell(before: KeeperState, message: string | undefined): void {
    if (message !== undefined && (!before.isFailing || before.error?.message !== message)) {
      this.logger.warn(`Subscriptions of X cannot be kept, next in ${String(this.settings.sleepAfterErrorMs / 1_000)} s: ${message}`);
    } else if (message === undefined && before.isFailing) {
      this.logger.log('Subscriptions of X are kept again');
    }
  }
}

/** Another one when an identity, its account or its token is another. */
const fingerprintOf = (identities: readonly PlatformIdentity[]): string =>
  createHash('sha256').update(JSON.stringify(identities)).digest('base64url');
