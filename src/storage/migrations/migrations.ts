import type { Transaction } from 'kysely';
import type { Schema } from '../schema';
import type { Engine } from '../storage';
import { firstTables } from './0001-first-tables';
import { leanHotTables } from './0002-lean-hot-tables';
import { processes } from './0003-processes';
import { jobs } from './0004-jobs';
import { oldSecrets } from './0005-old-secrets';
import { disablePolicy } from './0006-disable-policy';
import { chores } from './0007-chores';
import { registryChanges } from './0008-registry-changes';
import { identityCredentials } from './0009-identity-credentials';
import { oneTimePasswords } from './0011-one-time-passwords';
import { affinity } from './0013-affinity';
import { sources } from './0014-sources';
import { tokenWebhooks } from './0015-token-webhooks';
import { refusedRequests } from './0016-refused-requests';
import { filterConditions } from './0019-filter-conditions';
import { threads } from './0010-threads';

export interface Migration {
  /** Never changed once released. */
  name: string;
  up(trx: Transaction<Schema>, engine: Engine): Promise<void>;
}

/** In the order they run; only ever appended to. */
export const MIGRATIONS: readonly Migration[] = [
  { name: '0001-first-tables', up: firstTables },
  { name: '0002-lean-hot-tables', up: leanHotTables },
  { name: '0003-processes', up: processes },
  { name: '0004-jobs', up: jobs },
  { name: '0005-old-secrets', up: oldSecrets },
  { name: '0006-disable-policy', up: disablePolicy },
  { name: '0007-chores', up: chores },
  { name: '0008-registry-changes', up: registryChanges },
  { name: '0009-identity-credentials', up: identityCredentials },
  { name: '0010-threads', up: threads },
  { name: '0011-one-time-passwords', up: oneTimePasswords },
  { name: '0013-affinity', up: affinity },
  { name: '0014-sources', up: sources },
  { name: '0015-token-webhooks', up: tokenWebhooks },
  { name: '0016-refused-requests', up: refusedRequests },
  { name: '0019-filter-conditions', up: filterConditions },
];
