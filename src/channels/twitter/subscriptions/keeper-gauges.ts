import { Injectable } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { Metrics } from '../../../metrics/metrics.service';
import { Recent } from '../../../metrics/recent';
import type { KeeperState } from './keeper-state';
import { KeeperSettings } from './keeper-settings';
import { SubscriptionKeeper } from './subscription-keeper';

const LIMITS = { maxAgeMs: 2_000, timeLimitMs: 1_500 };

/** How the subscriptions stand, the same in every process; while that cannot be known, and while none are kept, there are no values. */
@Injectable()
export class KeeperGauges {
  constructor(metrics: Metrics, keeper: SubscriptionKeeper, settings: KeeperSettings) {
    if (!settings.isOn) return;
    const recent = new Recent<KeeperState | undefined>(() => keeper.lastState(), undefined, LIMITS);
    new Gauge({
      name: 'hookline_twitter_subscriptions',
      help: 'Users of X by how they stand: subscribed, foreign (those of them without an identity), waiting (beyond the limit), refused (their token is)',
      labelNames: ['state'],
      registers: [metrics.registry],
      async collect() {
        const state = await recent.get();
        this.reset();
        if (!state) return;
        for (const kind of ['subscribed', 'foreign', 'waiting', 'refused'] as const) this.set({ state: kind }, state[kind].length);
      },
    });
    new Gauge({
      name: 'hookline_twitter_subscriptions_failing',
      help: '1 when the last round of keeping subscriptions met an error',
      registers: [metrics.registry],
      async collect() {
        const state = await recent.get();
        this.remove();
        if (state) this.set(state.isFailing ? 1 : 0);
      },
    });
  }
}
