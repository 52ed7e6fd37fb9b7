import { Injectable, Logger } from '@nestjs/common';
import { RegistryVersion, bumpRegistryVersion } from '../../storage/registry-version';
import { Storage } from '../../storage/storage';
import { anyOf } from '../any-of';
import type { Outcome } from './outcome';

/** An endpoint that has failed for so long, and never succeeded since, is disabled. */
export const FAILING_LIMIT_MS = 5 * 86_400_000;

/** What is known to be written is not looked at again for so long; another process may have written otherwise meanwhile. */
const TRUSTED_MS = 60_000;

type State = 'succeeding' | 'failing' | 'gone';

interface Noted {
  state: State;
  /** Of an attempt that showed it. */
  code: string;
}

/**
 * Disables endpoints that are gone (410) or that have done nothing but fail for days. Runs beside the settling and costs no query
 * while an endpoint stays as it was: the next result brings what a failed write missed.
 */
@Injectable()
export class EndpointHealth {
  private readonly logger = new Logger(EndpointHealth.name);
  private readonly known = new Map<string, { state: State; atMs: number }>();
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly storage: Storage,
    private readonly version: RegistryVersion,
  ) {}

  note(outcomes: readonly Outcome[]): void {
    const nowMs = Date.now();
    const changed = new Map<string, Noted>();
    for (const [endpointId, noted] of statesOf(outcomes)) {
      const { state } = noted;
      const known = this.known.get(endpointId);
      // One that is gone may have been enabled again: it is written each time.
      if (state !== 'gone' && known?.state === state && nowMs - known.atMs < TRUSTED_MS) continue;
      this.known.set(endpointId, { state, atMs: nowMs });
      changed.set(endpointId, noted);
    }
    if (changed.size === 0) return;
    this.writing = this.writing.then(() => this.write(changed, nowMs)).catch((error: unknown) => this.forget(changed, error));
  }

  /** Resolves when what was noted is written. */
  flushed(): Promise<void> {
    return this.writing;
  }

  private async write(noted: ReadonlyMap<string, Noted>, nowMs: number): Promise<void> {
    const idsOf = (wanted: State): string[] => [...noted].filter(([, { state }]) => state === wanted).map(([id]) => id);
    const recovered = await this.setFailingSince(idsOf('succeeding'), null);
    if (recovered.length > 0) this.logger.log(`Endpoints that succeed again: ${recovered.join(', ')}`);
    const failing = idsOf('failing');
    const begun = await this.setFailingSince(failing, nowMs);
    const named = begun.map((id) => `${id} (${noted.get(id)?.code ?? ''})`);
    if (named.length > 0) this.logger.warn(`Endpoints that began to fail: ${named.join(', ')}`);
    await this.disable(idsOf('gone'), 'endpoint_gone');
    await this.disable(await this.failingTooLong(failing, nowMs), 'failing');
  }

  /** Reaches only rows that it changes. @returns their ids. */
  private async setFailingSince(ids: readonly string[], since: number | null): Promise<string[]> {
    if (ids.length === 0) return [];
    const rows = await this.storage.db
      .updateTable('endpoints')
      .set({ failing_since: since })
      .where(anyOf(this.storage.engine, 'id', 'uuid', ids))
      .where('failing_since', since === null ? 'is not' : 'is', null)
      .returning('id')
      .execute();
    return rows.map((row) => row.id);
  }

  private async failingTooLong(ids: readonly string[], nowMs: number): Promise<string[]> {
    if (ids.length === 0) return [];
    const rows = await this.storage.db
      .selectFrom('endpoints')
      .select('id')
      .where(anyOf(this.storage.engine, 'id', 'uuid', ids))
      .where('enabled', '=', 1)
      .where('failing_since', '<=', nowMs - FAILING_LIMIT_MS)
      .execute();
    return rows.map((row) => row.id);
  }

  private async disable(ids: readonly string[], reason: 'endpoint_gone' | 'failing'): Promise<void> {
    if (ids.length === 0) return;
    const changed = await this.storage.transaction(async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable('endpoints')
        .set({ enabled: 0, disabled_reason: reason, updated_at: Date.now() })
        .where(anyOf(this.storage.engine, 'id', 'uuid', ids))
        .where('enabled', '=', 1)
        .executeTakeFirstOrThrow();
      if (numUpdatedRows > 0n) await bumpRegistryVersion(trx);
      return numUpdatedRows > 0n;
    });
    if (!changed) return;
    this.logger.warn(`Disabled endpoints (${reason}): ${ids.join(', ')}`);
    await this.version.changed();
  }

  private forget(noted: ReadonlyMap<string, Noted>, error: unknown): void {
    for (const endpointId of noted.keys()) this.known.delete(endpointId);
    this.logger.warn(`The state of endpoints cannot be written: ${(error as Error).message}`);
  }
}

/** One state an endpoint: gone over succeeding over failing. */
function statesOf(outcomes: readonly Outcome[]): Map<string, Noted> {
  const states = new Map<string, Noted>();
  for (const { delivery, result, verdict } of outcomes) {
    if (result === undefined) continue;
    const state: State = verdict.kind === 'gone' ? 'gone' : verdict.kind === 'delivered' ? 'succeeding' : 'failing';
    const present = states.get(delivery.endpointId)?.state;
    if (present === undefined || present === 'failing' || state === 'gone') states.set(delivery.endpointId, { state, code: result.code });
  }
  return states;
}
