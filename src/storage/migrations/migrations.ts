import type { Transaction } from 'kysely';
import type { Schema } from '../schema';
import type { Engine } from '../storage';
import { firstTables } from './0001-first-tables';

export interface Migration {
  /** Never changed once released. */
  name: string;
  up(trx: Transaction<Schema>, engine: Engine): Promise<void>;
}

/** In the order they run; only ever appended to. */
export const MIGRATIONS: readonly Migration[] = [{ name: '0001-first-tables', up: firstTables }];
