/** An attempt that takes longer is slow: its endpoint's places count as such. */
export const SLOW_MS = 1_000;
/** Of all places, those that endpoints whose attempts do not come back may hold together; and those that new endpoints may as well. */
const SLOW_SHARE = 1 / 2;
const NEW_SHARE = 3 / 4;
/** Those that have nothing under way may each begin one attempt, to show what they are, while so many are not held by the like. */
const FIRST_SHARE = 7 / 8;
/** Of what is left of these shares, what one endpoint may hold. */
const ENDPOINT_SHARE = 1 / 4;
/** An account may hold so many times what it leaves free: alone four fifths, two of them four ninths each. */
const ACCOUNT_MULTIPLE = 4;
/** What is remembered of an endpoint that gets no deliveries. */
const IDLE_MS = 60_000;

interface Load {
  accountId: string;
  /** Attempts under way, or about to begin. */
  underWay: number;
  /** Of the attempts that ended or should have: `quick` ones, or `slow` ones. `new`: none has. */
  pace: 'new' | 'quick' | 'slow';
  usedAt: number;
}

/**
 * How many of a process's places each endpoint and account may hold. Shares are measured on what is left, so many that want more than
 * there is get less each, and something stays free for who has none yet. Endpoints that answer quickly need few places and always
 * find some, whatever the others do.
 */
export class Places {
  private held = 0;
  private readonly heldByAccount = new Map<string, number>();
  private readonly loads = new Map<string, Load>();
  /** Attempts under way to endpoints that are not quick. */
  private unproven = 0;
  private prunedAt = 0;

  constructor(private readonly count: number) {}

  get free(): number {
    return this.count - this.held;
  }

  underWay(endpointId: string): number {
    return this.loads.get(endpointId)?.underWay ?? 0;
  }

  /** False while it is not known to come back at once. */
  isQuick(endpointId: string): boolean {
    return this.loads.get(endpointId)?.pace === 'quick';
  }

  /** Attempts that may be begun to the endpoint beside those under way. */
  roomFor(endpointId: string, accountId: string): number {
    const { free } = this;
    const account = this.heldByAccount.get(accountId) ?? 0;
    // With n more of them, account + n is to be at most the multiple of free - n.
    const ofAccount = Math.ceil((ACCOUNT_MULTIPLE * free - account) / (ACCOUNT_MULTIPLE + 1));
    const load = this.loads.get(endpointId);
    if (load?.pace === 'quick') return Math.max(0, Math.min(free, ofAccount));
    const share = load?.pace === 'slow' ? SLOW_SHARE : NEW_SHARE;
    const left = Math.ceil(this.count * share) - this.unproven;
    const first = this.unproven < this.count * FIRST_SHARE ? 1 : 0;
    const ofEndpoint = Math.max(first, Math.floor(left * ENDPOINT_SHARE)) - (load?.underWay ?? 0);
    return Math.max(0, Math.min(free, ofAccount, ofEndpoint));
  }

  take(endpointId: string, accountId: string, now: number): void {
    const load = this.loads.get(endpointId) ?? { accountId, underWay: 0, pace: 'new', usedAt: now };
    this.loads.set(endpointId, load);
    load.underWay += 1;
    load.usedAt = now;
    if (load.pace !== 'quick') this.unproven += 1;
    this.held += 1;
    this.heldByAccount.set(accountId, (this.heldByAccount.get(accountId) ?? 0) + 1);
  }

  /** An attempt has ended, or was never made; its place is held until it is settled. */
  ended(endpointId: string, durationMs: number | undefined): void {
    const load = this.loads.get(endpointId);
    if (!load) return;
    load.underWay -= 1;
    if (load.pace !== 'quick') this.unproven -= 1;
    if (durationMs !== undefined) this.setPace(load, durationMs < SLOW_MS ? 'quick' : 'slow');
  }

  settled(accountId: string): void {
    this.held -= 1;
    const left = (this.heldByAccount.get(accountId) ?? 0) - 1;
    if (left > 0) this.heldByAccount.set(accountId, left);
    else this.heldByAccount.delete(accountId);
  }

  accountOf(endpointId: string): string {
    return this.loads.get(endpointId)?.accountId ?? '';
  }

  /** Told now and then how many attempts to each endpoint have been under way for longer than SLOW_MS. */
  overdue(counts: ReadonlyMap<string, number>, now: number): void {
    for (const [endpointId, count] of counts) {
      const load = this.loads.get(endpointId);
      if (load && count * 2 >= load.underWay) this.setPace(load, 'slow');
    }
    if (now - this.prunedAt < IDLE_MS) return;
    this.prunedAt = now;
    for (const [endpointId, load] of this.loads) {
      if (load.underWay === 0 && now - load.usedAt > IDLE_MS) this.loads.delete(endpointId);
    }
  }

  private setPace(load: Load, pace: 'quick' | 'slow'): void {
    const wasUnproven = load.pace !== 'quick';
    load.pace = pace;
    if (wasUnproven === (pace !== 'quick')) return;
    this.unproven += wasUnproven ? -load.underWay : load.underWay;
  }
}
