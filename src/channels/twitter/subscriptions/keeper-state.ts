import type { Standing } from './round';

/** What one turn of the keeper leaves for the next one, whichever process has that. */
export interface KeeperState extends Standing {
  /** When a round ended, however; milliseconds since 1970. */
  checkedAt: number | null;
  /** Before then nothing is asked of the platform, unless an identity changes. */
  nextAt: number;
  /** The last round met an error, be it one user's. */
  isFailing: boolean;
  /** It met one of the platform: until `nextAt` nothing is asked of it, whatever changes. */
  isPaused: boolean;
  /** The identities that the last round went by. */
  identities: string;
  /** The last error, also when all has been well since. */
  error: { at: number; message: string } | null;
}

export const NOTHING_KEPT: KeeperState = {
  webhook: null,
  subscribed: [],
  foreign: [],
  waiting: [],
  refused: [],
  checkedAt: null,
  nextAt: 0,
  isFailing: false,
  isPaused: false,
  identities: '',
  error: null,
};

/** For GET /api/v1/channels/twitter. */
export function viewOf(state: KeeperState, { isOn, missing }: { isOn: boolean; missing: readonly string[] }): Record<string, unknown> {
  const { webhook, subscribed, foreign, waiting, refused, checkedAt, nextAt, isFailing, error } = state;
  return {
    status: !isOn ? 'off' : checkedAt === null ? 'starting' : isFailing ? 'failing' : 'ok',
    missing,
    webhook,
    subscribed,
    foreign,
    waiting,
    refused: refused.map(({ userId, reason }) => ({ userId, reason })),
    checkedAt: isoOf(checkedAt),
    nextCheckAt: !isOn || checkedAt === null ? null : isoOf(nextAt),
    lastError: error === null ? null : { at: isoOf(error.at), message: error.message },
  };
}

const isoOf = (timeMs: number | null): string | null => (timeMs === null ? null : new Date(timeMs).toISOString());
