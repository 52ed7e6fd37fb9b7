import type { MatchableEvent } from '../../src/dispatcher/registry/match-index';

/** An event of the account `default`, a message of Facebook, unless changes say otherwise. */
export const matchable = ({ message, ...changes }: Partial<MatchableEvent> & { message?: unknown } = {}): MatchableEvent => ({
  accountId: 'default',
  application: 'facebook',
  eventType: 'message',
  level: null,
  timestamp: '2026-11-22T09:30:00Z',
  context: null,
  data: Buffer.from(JSON.stringify(message ?? {})),
  ...changes,
});
