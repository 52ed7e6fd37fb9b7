import { Injectable, Logger } from '@nestjs/common';
import type { Transaction } from 'kysely';
import { RegistryVersion, bumpRegistryVersion } from '../../storage/registry-version';
import type { Schema } from '../../storage/schema';
import { Storage } from '../../storage/storage';
import { endpointDisabled, endpointRecovered } from '../operational/facts';
import { OperationalEvents } from '../operational/operational-events';
import { RegistryService } from '../registry/registry.service';
import { type EndpointNote, followed, notesOf } from './endpoint-notes';
import { type EndpointFailures, EndpointFailureRows } from './endpoint-failure-rows';
import { DEFAULT_DISABLE_POLICY, isGivenUp } from './disable-policy';
import type { Outcome } from './outcome';
import { RecentSuccesses } from './recent-successes';

/** What is known to be written is not looked at again for so long; another process may have written otherwise meanwhile. */
const TRUSTED_MS = 60_000;

type Notes = ReadonlyMap<string, EndpointNote>;

/**
 * Disables endpoints that are gone (410) or that their policy gives up. Runs beside the settling and costs no query while an endpoint
 * stays as it was; failures that a policy counts are written once a group. The rows decide, so neither a restart nor a second
 * process changes the outcome.
 */
@Injectable()
export class EndpointHealth {
  private readonly logger = new Logger(EndpointHealth.name);
  private readonly known = new Map<string, { state: EndpointNote['state']; atMs: number }>();
  private readonly successes = new RecentSuccesses();
  private readonly rows: EndpointFailureRows;
  /** Kept until they are written: counts must not get lost. */
  private waiting = new Map<string, EndpointNote>();
  private writing: Promise<void> | undefined;

  constructor(
    private readonly storage: Storage,
    private readonly version: RegistryVersion,
    private readonly registry: RegistryService,
    private readonly operational: OperationalEvents,
  ) {
    this.rows = new EndpointFailureRows(storage);
  }

  note(outcomes: readonly Outcome[]): void {
    const nowMs = Date.now();
    for (const [endpointId, note] of notesOf(outcomes)) {
      if (note.hasSucceeded) this.successes.note(nowMs);
      if (!this.isNews(endpointId, note, nowMs)) continue;
      this.known.set(endpointId, { state: note.state, atMs: nowMs });
      const before = this.waiting.get(endpointId);
      this.waiting.set(endpointId, before ? followed(before, note) : note);
    }
    if (this.waiting.size > 0) this.writing ??= this.writeAll().finally(() => (this.writing = undefined));
  }

  /** Resolves when what was noted is written, or cannot be written now. */
  async flushed(): Promise<void> {
    await this.writing;
  }

  private isNews(endpointId: string, note: EndpointNote, nowMs: number): boolean {
    // One that is gone may have been enabled again: it is written each time.
    if (note.state === 'gone') return true;
    if (note.failures > 0 && this.registry.snapshot.endpoint(endpointId)?.disablePolicy?.kind === 'failures') return true;
    const known = this.known.get(endpointId);
    return known?.state !== note.state || nowMs - known.atMs >= TRUSTED_MS;
  }

  private async writeAll(): Promise<void> {
    while (this.waiting.size > 0) {
      const notes = this.waiting;
      this.waiting = new Map();
      try {
        await this.write(notes, Date.now());
      } catch (error) {
        this.logger.warn(`The state of endpoints cannot be written: ${(error as Error).message}`);
        return this.keep(notes);
      }
    }
  }

  /** For the next result to bring. */
  private keep(notes: Notes): void {
    for (const [endpointId, note] of notes) {
      const later = this.waiting.get(endpointId);
      this.waiting.set(endpointId, later ? followed(note, later) : note);
      this.known.delete(endpointId);
    }
  }

  private async write(notes: Notes, nowMs: number): Promise<void> {
    const idsOf = (isMeant: (note: EndpointNote) => boolean): string[] => [...notes].flatMap(([id, note]) => (isMeant(note) ? [id] : []));
    await this.recover(
      idsOf((note) => note.hasSucceeded),
      notes,
    );
    await this.disable(
      idsOf((note) => note.state === 'gone'),
      'endpoint_gone',
      () => true,
    );
    const failing = idsOf((note) => note.failures > 0 && note.state !== 'gone');
    const given = await this.givenUp(await this.recordFailures(failing, notes, nowMs), notes, nowMs);
    await this.disable(given, 'failing', (row) => isGivenUp(row.policy ?? DEFAULT_DISABLE_POLICY, row, nowMs));
  }

  private async recover(ids: readonly string[], notes: Notes): Promise<void> {
    const failing = await this.rows.stillFailing(ids);
    if (failing.length === 0) return;
    const recovered = await this.storage.transaction(async (trx) => {
      const rows = (await this.rows.lock(trx, failing)).filter((row) => row.failingSince !== null);
      await this.rows.setFailingSince(trx, idsOfRows(rows), null);
      const told = rows.filter((row) => row.enabled && notes.get(row.id)?.hasRecovered === true);
      await this.operational.book(
        trx,
        told.map((row) => endpointRecovered(row, 'succeeded')),
      );
      return idsOfRows(rows);
    });
    if (recovered.length > 0) this.logger.log(`Endpoints that succeed again: ${recovered.join(', ')}`);
  }

  /** @returns the endpoints that are enabled, as their rows are now. */
  private async recordFailures(ids: readonly string[], notes: Notes, nowMs: number): Promise<EndpointFailures[]> {
    const rows = await this.rows.read(ids);
    const isBegun = (row: EndpointFailures): boolean => row.failingSince === null && notes.get(row.id)?.state === 'failing';
    const begun = await this.rows.setFailingSince(this.storage.db, idsOfRows(rows.filter(isBegun)), nowMs);
    const named = begun.map((id) => `${id} (${notes.get(id)?.code ?? ''})`);
    if (named.length > 0) this.logger.warn(`Endpoints that began to fail: ${named.join(', ')}`);
    const counting = rows
      .filter((row) => row.policy?.kind === 'failures')
      .map((row) => [row.id, notes.get(row.id)?.failures ?? 0] as const);
    const counts = await this.rows.addFailures(new Map(counting));
    // What follows may fail and bring the notes back.
    for (const [id, note] of notes) if (counts.has(id)) note.failures = 0;
    return rows.map((row) => ({
      ...row,
      failingSince: isBegun(row) ? nowMs : row.failingSince,
      failureCount: counts.get(row.id) ?? row.failureCount,
    }));
  }

  /**
   * Those that their policies give up, as long as it is theirs and not ours: where endpoints of other hosts fail as well, this process
   * must have reached somebody after the endpoint began to fail and before its last attempt. Else the next failure asks again.
   */
  private async givenUp(rows: readonly EndpointFailures[], notes: Notes, nowMs: number): Promise<string[]> {
    const due = rows.filter((row) => isGivenUp(row.policy ?? DEFAULT_DISABLE_POLICY, row, nowMs));
    const isUnclear = (row: EndpointFailures): boolean =>
      row.failingSince !== null && !this.successes.isAnyBetween(row.failingSince, notes.get(row.id)?.lastFailureBegunAt ?? 0);
    const unclear = due.filter(isUnclear);
    if (unclear.length === 0) return idsOfRows(due);
    const hosts = await this.rows.failingHosts();
    const held = new Set(idsOfRows(unclear.filter((row) => [...hosts].some((host) => host !== new URL(row.url).hostname))));
    const [first] = held;
    if (first !== undefined)
      this.logger.warn(`Not disabled although they fail, since nothing else succeeds: ${held.size} endpoints, among them ${first}`);
    return idsOfRows(due).filter((id) => !held.has(id));
  }

  /** @param isStill Asked of the rows once nobody else can change them. */
  private async disable(
    ids: readonly string[],
    reason: 'endpoint_gone' | 'failing',
    isStill: (row: EndpointFailures) => boolean,
  ): Promise<void> {
    if (ids.length === 0) return;
    const disabled = await this.storage.transaction((trx) => this.disableIn(trx, ids, reason, isStill));
    if (disabled.length === 0) return;
    this.logger.warn(`Disabled endpoints (${reason}): ${disabled.join(', ')}`);
    await this.version.changed();
  }

  private async disableIn(
    trx: Transaction<Schema>,
    ids: readonly string[],
    reason: string,
    isStill: (row: EndpointFailures) => boolean,
  ): Promise<string[]> {
    const rows = (await this.rows.lock(trx, ids)).filter((row) => row.enabled && isStill(row));
    if (rows.length === 0) return [];
    await this.rows.disable(trx, idsOfRows(rows), reason);
    await bumpRegistryVersion(trx);
    await this.operational.book(
      trx,
      rows.map((row) => endpointDisabled(row, reason)),
    );
    return idsOfRows(rows);
  }
}

const idsOfRows = (rows: readonly EndpointFailures[]): string[] => rows.map((row) => row.id);
