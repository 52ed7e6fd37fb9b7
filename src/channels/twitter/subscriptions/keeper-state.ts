import type { Standing } from './round';

/** What one turn of the keeper leaves for the next one, whichever process has that. */
export interface KeeperState extends Standing {
  /** When a round ended, however; milliseconds since 1970. */
  checkedAt: number | null;
  /** Before then nothing is asked of the platform, unless an identity changes. */
  nextAt: number;
  /** The last round failed: until `nextAt` nothing is asked of the platform, whatever changes. */
  isFailing: boolean;
  /** The identities that the last round went by. */
  identities: string;
  /** The last error, also when all has been well since. */
  error: { at: number; message: string } | null;
}

export const NOTHING_KEPT: KeeperState = {
  webhook: null,
  subscribed: [],
  waiting: [],
  refused: [],
  checkedAt: null,
  nextAt: 0,
  isFailing: false,
  identities: '',
  error: null,
};

/** For GET /api/v1/channels/twitter. */
export function viewOf(state: KeeperState, { isOn, missing }: { isOn: boolean; missing: readonly string[] }): Record<string, unknown> {
  const { webhook, subscribed, waiting, refused, checkedAt, nextAt, isFailing, error } = state;
  return {
    status: !isOn ? 'off' : checkedAt === null ? 'starting' : isFailing ? 'failing' : 'ok',
    missing,
    webhook,
    subscribed,
    waiting,
    refused,
    checkedAt: isoOf(checkedAt),
    nextCheckAt: !isOn || checkedAt === null ? null : isoOf(nextAt),
    lastError: error === null ? null : { at: isoOf(error.at), message: error.message },
  };
}

const isoOf = (timeMs: number | null): string | null => (timeMs === null ? null : new Date(timeMs).toISOString());
