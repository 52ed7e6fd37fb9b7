/** What is known to be written is not looked at again for so long; another process may have written otherwise meanwhile. */
export const TRUSTED_MS = 60_000;

/** The states of endpoints that were written lately; what is older says nothing and is forgotten. */
export class NotedStates<S> {
  private readonly known = new Map<string, { state: S; atMs: number }>();
  private prunedAt = 0;

  isKnown(endpointId: string, state: S, nowMs: number): boolean {
    const known = this.known.get(endpointId);
    return known?.state === state && nowMs - known.atMs < TRUSTED_MS;
  }

  note(endpointId: string, state: S, nowMs: number): void {
    this.known.set(endpointId, { state, atMs: nowMs });
    if (nowMs - this.prunedAt < TRUSTED_MS) return;
    this.prunedAt = nowMs;
    for (const [id, { atMs }] of this.known) if (nowMs - atMs >= TRUSTED_MS) this.known.delete(id);
  }

  forget(endpointId: string): void {
    this.known.delete(endpointId);
  }

  get size(): number {
    return this.known.size;
  }
}
