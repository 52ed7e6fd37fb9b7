import { newId } from '../../../src/core/ids';
import type { ThreadStatement } from '../../../src/threads/thread';
import type { ThreadStore } from '../../../src/threads/thread-store';

/** What the suite needs of an implementation. */
export interface ThreadStoreHarness {
  readonly store: ThreadStore;
  /** Resolves when what was written can be read. */
  settled(): Promise<void>;
  release(): Promise<void>;
}

export interface StoreUnderTest {
  name: string;
  open: () => Promise<ThreadStoreHarness>;
}

/** A day when nothing else happens. */
export const DAY_MS = Date.UTC(2026, 10, 20);

export const said = (change: Partial<ThreadStatement> = {}): ThreadStatement => ({
  threadId: 'facebook:page:user',
  channel: 'facebook',
  accountId: 'default',
  author: 'user',
  own: false,
  text: 'hello',
  attachments: [],
  at: DAY_MS,
  eventId: newId(),
  ...change,
});
