import { Injectable, Logger } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { isOutage } from '../core/errors';
import { Metrics } from '../metrics/metrics.service';
import { SecretBox } from '../secrets/secret-box';
import { sessionContext } from '../secrets/sealed-columns';
import { WriteBatcher } from '../storage/write-batcher';
import type { CookieChange } from './affinity-cookie';
import { AffinityConfig } from './affinity.config';
import { RecentSessions } from './recent-sessions';
import { type SessionChange, type SessionRow, SessionRows } from './session-rows';
import { StorageWatch } from './storage-watch';

export interface Session {
  /** The cookie's; null when its row cannot be opened. */
  value: string | null;
  expiresAtMs: number;
  /** What its row holds; null while there is none. */
  version: string | null;
  /** It could not be written when it came. */
  isUnsaved: boolean;
}

/** A cookie that is set anew with every answer is written no more often than this, unless its value changes. */
const REFRESH_MS = 1_000;

/**
 * Which cookie brings an actor back to its instance. The table alone knows: another proxy may have moved the actor since this one last
 * met it, so nothing is answered from memory while the table can be read. While it cannot, what this process remembers is better than
 * an instance by chance. Nothing here throws or takes longer than StorageWatch allows: a bot that has forgotten a conversation is better
 * than none.
 */
@Injectable()
export class AffinitySessions {
  private readonly logger = new Logger('Affinity');
  private readonly watch = new StorageWatch((isAway) => this.onStorage(isAway));
  private readonly recent = new RecentSessions(10_000);
  private readonly reads: WriteBatcher<string, SessionRow | undefined>;
  private readonly writes: WriteBatcher<SessionChange, undefined>;

  constructor(
    rows: SessionRows,
    private readonly box: SecretBox,
    private readonly config: AffinityConfig,
    private readonly metrics: Metrics,
  ) {
    this.reads = new WriteBatcher({ maxCount: 500, maxInFlight: 4, write: (keys) => rows.find(keys, Date.now()) });
    this.writes = new WriteBatcher({
      maxCount: 100,
      maxInFlight: 2,
      write: async (changes) => {
        await rows.change(changes, Date.now());
        return changes.map(() => undefined);
      },
    });
  }

  /** Whether the table can be read now. */
  async probe(): Promise<boolean> {
    return (await this.watch.ask(() => this.reads.add(''))) !== undefined;
  }

  async find(actor: string): Promise<Session | undefined> {
    const key = this.keyOf(actor);
    const read = await this.watch.ask(() => this.reads.add(key));
    const remembered = this.recent.get(key, Date.now());
    const session = read === undefined ? remembered : this.reconciled(key, read.answer, remembered);
    this.metrics.affinitySessions.inc({ result: session === undefined ? 'missing' : 'found' });
    if (read === undefined) return session;
    this.recent.set(key, session);
    if (session?.isUnsaved === true && session.value !== null) await this.save(key, { ...session, value: session.value });
    return this.recent.get(key, Date.now());
  }

  /** Resolves when it is written. @param sent The session that the request went with. */
  async learn(actor: string, sent: Session | undefined, change: CookieChange): Promise<void> {
    const key = this.keyOf(actor);
    const replaces = sent?.version ?? null;
    if (change.kind === 'removed') {
      this.recent.set(key, undefined);
      if (replaces !== null) await this.watch.ask(() => this.writes.add({ key, replaces, row: null }));
      this.metrics.affinitySessions.inc({ result: 'removed' });
      return;
    }
    const { value, expiresAtMs } = change;
    const isKnown = sent?.value === value && !sent.isUnsaved && Math.abs(sent.expiresAtMs - expiresAtMs) < REFRESH_MS;
    if (!isKnown) await this.save(key, { value, expiresAtMs, version: replaces });
  }

  private async save(
    key: string,
    { value, expiresAtMs, version }: { value: string; expiresAtMs: number; version: string | null },
  ): Promise<void> {
    const cookie = this.box.seal(value, sessionContext(key));
    const row = { cookie, expires_at: expiresAtMs };
    const written = await this.watch.ask(() => this.writes.add({ key, replaces: version, row }));
    const isUnsaved = written === undefined;
    this.recent.set(key, { value, expiresAtMs, version: isUnsaved ? version : cookie, isUnsaved });
    this.metrics.affinitySessions.inc({ result: isUnsaved ? 'unsaved' : 'stored' });
  }

  /** A session that came while the storage was away counts, unless another process has moved the actor meanwhile. */
  private reconciled(key: string, row: SessionRow | undefined, remembered: Session | undefined): Session | undefined {
    const version = row?.cookie ?? null;
    if (remembered?.version === version && (remembered.isUnsaved || row !== undefined)) return remembered;
    if (row === undefined) return undefined;
    try {
      const value = this.box.open(row.cookie, sessionContext(key));
      return { value, expiresAtMs: row.expires_at, version, isUnsaved: false };
    } catch (error) {
      // Sealed with a key that is gone: the load balancer will give another cookie, in place of this one.
      this.logger.warn({ err: error }, 'A session cannot be opened');
      return { value: null, expiresAtMs: row.expires_at, version, isUnsaved: false };
    }
  }

  /** Bots behind other load balancers may share the database. */
  private keyOf(actor: string): string {
    const { targetUrl, cookieName } = this.config;
    return createHash('sha256')
      .update(JSON.stringify([targetUrl, cookieName, actor]))
      .digest('base64url');
  }

  private onStorage(isAway: { error: unknown } | undefined): void {
    if (isAway === undefined) this.logger.log('Sessions can be read and written again');
    else if (isOutage(isAway.error))
      this.logger.warn('Sessions cannot be read: actors that were not here lately may change their instance');
    else this.logger.error({ err: isAway.error }, 'Sessions cannot be read or written');
  }
}
