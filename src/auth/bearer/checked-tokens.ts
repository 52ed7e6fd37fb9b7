import { GatewayError } from '../../core/errors';
import { hashOf } from '../api-key';
import type { BearerCheck, CheckedToken, Tenant } from './tenant';

const GOOD_FOR_MS = 60_000;
/** A token that was just made may have been tried a moment too soon. */
const BAD_FOR_MS = 10_000;
const MAX_GOOD = 10_000;
const MAX_BAD = 2_000;
/** Different tokens that are being asked about; who comes beyond is told to come again. */
const MAX_UNDER_WAY = 1_000;

/** Remembers for a while what a check said, by hashes of the tokens; asks once at a time about each. An outage is not remembered. */
export class CheckedTokens {
  private readonly good = new Remembered<Tenant>(MAX_GOOD);
  private readonly bad = new Remembered<true>(MAX_BAD);
  private readonly underWay = new Map<string, Promise<CheckedToken | undefined>>();

  constructor(
    private readonly check: BearerCheck,
    private readonly now: () => number = Date.now,
  ) {}

  /** Undefined for a token that is not good. @throws what the check throws. */
  async tenantOf(token: string): Promise<Tenant | undefined> {
    const hash = hashOf(token).toString('base64');
    const known = this.good.get(hash, this.now());
    if (known !== undefined || this.bad.get(hash, this.now())) return known;
    return (await (this.underWay.get(hash) ?? this.ask(hash, token)))?.tenant;
  }

  private ask(hash: string, token: string): Promise<CheckedToken | undefined> {
    if (this.underWay.size >= MAX_UNDER_WAY) {
      return Promise.reject(new GatewayError('token_check_unavailable', 'Too many access tokens are being checked'));
    }
    const asked = this.check(token)
      .then((checked) => {
        this.remember(hash, checked);
        return checked;
      })
      .finally(() => this.underWay.delete(hash));
    this.underWay.set(hash, asked);
    return asked;
  }

  private remember(hash: string, checked: CheckedToken | undefined): void {
    const nowMs = this.now();
    if (checked === undefined) this.bad.set(hash, true, nowMs + BAD_FOR_MS);
    else this.good.set(hash, checked.tenant, Math.min(nowMs + GOOD_FOR_MS, checked.expiresAtMs ?? Infinity));
  }
}

/** Values until a time, a bounded number of them: the one that came first goes first. */
class Remembered<T> {
  private readonly values = new Map<string, { value: T; untilMs: number }>();

  constructor(private readonly maxCount: number) {}

  get(key: string, nowMs: number): T | undefined {
    const found = this.values.get(key);
    return found !== undefined && found.untilMs > nowMs ? found.value : undefined;
  }

  set(key: string, value: T, untilMs: number): void {
    this.values.delete(key);
    this.values.set(key, { value, untilMs });
    if (this.values.size <= this.maxCount) return;
    const [oldest] = this.values.keys();
    this.values.delete(oldest as string);
  }
}
