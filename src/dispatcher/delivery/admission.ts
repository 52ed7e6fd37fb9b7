import type { EndpointRecord } from '../registry/endpoint-record';

/** How long room is waited for. */
export interface Patience {
  stepMs: number;
  leastMoves: number;
  timeoutMs: number;
}

/** How many deliveries come for each endpoint. */
export type Wanted = ReadonlyMap<EndpointRecord, number>;

/**
 * Holds up who brings more than there is room for, as long as room comes: what finds none goes by the database, written once more and
 * read from there.
 */
export class Admission {
  /** Told of deliveries that make room. */
  private readonly listeners = new Set<(endpointId: string) => void>();
  /** What was let in during this turn of the event loop and has not taken its room yet. */
  private readonly expected = new Map<string, number>();

  /** @param hasRoom whether so many deliveries to the endpoint may come, or need not be waited for. */
  constructor(
    private readonly hasRoom: (endpoint: EndpointRecord, count: number) => boolean,
    private readonly patience: Patience,
  ) {}

  /** A delivery to the endpoint had its turn, or is off this process's hands. */
  moved(endpointId: string): void {
    for (const listener of this.listeners) listener(endpointId);
  }

  /**
   * Resolves when there is room for all; room is to be taken in the same turn of the event loop. Gives up after a step of `stepMs` in
   * which fewer than `leastMoves` deliveries to the endpoints without room moved (others' say nothing of these), and after `timeoutMs`
   * in any case.
   */
  async admit(wanted: Wanted): Promise<void> {
    const { stepMs, leastMoves, timeoutMs } = this.patience;
    let tight = this.tight(wanted);
    for (let waitedMs = 0; waitedMs < timeoutMs && tight.size > 0; waitedMs += stepMs) {
      if ((await this.movesUntilRoom(tight)) < leastMoves) return;
      tight = this.tight(wanted);
    }
    this.expect(wanted);
  }

  private tight(wanted: Wanted): Wanted {
    return this.isRoomFor(wanted) ? new Map() : new Map([...wanted].filter(([endpoint, count]) => !this.hasRoomFor(endpoint, count)));
  }

  /** Asked at every move, so it leaves nothing behind. */
  private isRoomFor(wanted: Wanted): boolean {
    for (const [endpoint, count] of wanted) if (!this.hasRoomFor(endpoint, count)) return false;
    return true;
  }

  private hasRoomFor(endpoint: EndpointRecord, count: number): boolean {
    return this.hasRoom(endpoint, count + (this.expected.get(endpoint.id) ?? 0));
  }

  /** @returns how many deliveries to these endpoints moved by the time when there was room for all, or the step was over. */
  private async movesUntilRoom(tight: Wanted): Promise<number> {
    const ids = new Set([...tight.keys()].map(({ id }) => id));
    let moves = 0;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.listeners.delete(listener);
        resolve();
      };
      // A process that was held up finds its timers due before it has read what came meanwhile.
      const timer = setTimeout(() => setImmediate(end), this.patience.stepMs);
      const listener = (endpointId: string): void => {
        if (!ids.has(endpointId)) return;
        moves += 1;
        if (this.isRoomFor(tight)) end();
      };
      this.listeners.add(listener);
    });
    return moves;
  }

  private expect(wanted: Wanted): void {
    for (const [{ id }, count] of wanted) this.expected.set(id, (this.expected.get(id) ?? 0) + count);
    setImmediate(() => {
      for (const [{ id }, count] of wanted) {
        const left = (this.expected.get(id) ?? 0) - count;
        if (left > 0) this.expected.set(id, left);
        else this.expected.delete(id);
      }
    });
  }
}
