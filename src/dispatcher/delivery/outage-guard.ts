import { TRUSTED_MS } from './noted-states';
import { RecentSuccesses } from './recent-successes';

export interface FailingEndpoint {
  id: string;
  url: string;
  /** In milliseconds since 1970; null when it succeeds in between. */
  failingSince: number | null;
  lastFailureBegunAt: number;
}

/**
 * Keeps a fault of ours from disabling every endpoint. Where endpoints of other hosts fail as well, one is given up only when this
 * process has reached somebody after it began to fail and before its last attempt was begun. It is asked about again at its first
 * failure after somebody was reached.
 */
export class OutageGuard {
  private readonly successes = new RecentSuccesses();
  /** Endpoints that were held back, and when; after TRUSTED_MS they are asked about anyway. */
  private readonly held = new Map<string, number>();

  succeeded(atMs: number): void {
    this.successes.note(atMs);
  }

  /** True for one that was held back, once this failure may tell more. */
  isToBeAsked(endpointId: string, failureBegunAt: number): boolean {
    const heldAt = this.held.get(endpointId);
    return heldAt !== undefined && this.successes.isAnyBetween(heldAt, failureBegunAt);
  }

  /** How many are remembered. */
  get size(): number {
    return this.held.size;
  }

  /**
   * @param failingHosts Asks for the hosts of all endpoints that fail.
   * @returns the ids of those that must not be disabled now.
   */
  async holdBack(due: readonly FailingEndpoint[], failingHosts: () => Promise<ReadonlySet<string>>, nowMs: number): Promise<Set<string>> {
    for (const { id } of due) this.held.delete(id);
    for (const [id, heldAt] of this.held) if (nowMs - heldAt >= TRUSTED_MS) this.held.delete(id);
    const unclear = due.filter(
      ({ failingSince, lastFailureBegunAt }) => failingSince !== null && !this.successes.isAnyBetween(failingSince, lastFailureBegunAt),
    );
    if (unclear.length === 0) return new Set();
    const hosts = [...(await failingHosts())];
    const held = unclear.filter(({ url }) => hosts.some((host) => host !== new URL(url).hostname)).map(({ id }) => id);
    for (const id of held) this.held.set(id, nowMs);
    return new Set(held);
  }
}
