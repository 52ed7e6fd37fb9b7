import type { Session } from './sessions';

/** The sessions that this process has met last, for while the storage is away. Bounded: the one unused for longest goes. */
export class RecentSessions {
  private readonly sessions = new Map<string, Session>();

  constructor(private readonly maxCount: number) {}

  get(key: string, nowMs: number): Session | undefined {
    const session = this.sessions.get(key);
    return session !== undefined && session.expiresAtMs > nowMs ? session : undefined;
  }

  set(key: string, session: Session | undefined): void {
    this.sessions.delete(key);
    if (session === undefined) return;
    this.sessions.set(key, session);
    if (this.sessions.size <= this.maxCount) return;
    const [oldest] = this.sessions.keys();
    this.sessions.delete(oldest as string);
  }
}
