import { Logger } from '@nestjs/common';
import type { Transaction } from 'kysely';
import { bumpRegistryVersion } from '../../storage/registry-version';
import type { Schema } from '../../storage/schema';
import type { Storage } from '../../storage/storage';
import { endpointDisabled, endpointRecovered } from '../operational/facts';
import type { OperationalEvents } from '../operational/operational-events';
import { endpointLabel } from '../registry/endpoint-label';
import { DEFAULT_DISABLE_POLICY, isGivenUp } from './disable-policy';
import { type EndpointFailures, EndpointFailureRows } from './endpoint-failure-rows';
import type { EndpointNote } from './endpoint-notes';
import type { OutageGuard } from './outage-guard';

export type Notes = ReadonlyMap<string, EndpointNote>;

type Condition = (row: EndpointFailures, nowMs: number) => boolean;
const isDue: Condition = (row, nowMs) => isGivenUp(row.policy ?? DEFAULT_DISABLE_POLICY, row, nowMs);

/** What is over sooner is mended by a next try and worth nobody's attention. */
const HICCUP_MS = 60_000;
const isNoHiccup: Condition = ({ failingSince }, nowMs) => failingSince !== null && nowMs - failingSince >= HICCUP_MS;

/** Writes what was noted of endpoints into their rows, and tells what follows from it. */
export class EndpointStates {
  private readonly logger = new Logger('EndpointHealth');
  private readonly rows: EndpointFailureRows;

  constructor(
    private readonly storage: Storage,
    private readonly operational: OperationalEvents,
    private readonly guard: OutageGuard,
  ) {
    this.rows = new EndpointFailureRows(storage);
  }

  /** @returns whether the registry has changed. */
  async write(notes: Notes, nowMs: number): Promise<boolean> {
    const idsOf = (isMeant: (note: EndpointNote) => boolean): string[] => [...notes].flatMap(([id, note]) => (isMeant(note) ? [id] : []));
    const succeeded = idsOf((note) => note.hasSucceeded);
    const gone = idsOf((note) => note.state === 'gone');
    const failed = idsOf((note) => note.failures > 0 && note.state !== 'gone');
    await this.recover(succeeded, notes, nowMs);
    const isAnyGone = await this.disable(gone, 'endpoint_gone', () => true, nowMs);
    const givenUp = await this.givenUp(await this.recordFailures(failed, notes, nowMs), notes, nowMs);
    const isAnyGivenUp = await this.disable(givenUp, 'failing', isDue, nowMs);
    return isAnyGone || isAnyGivenUp;
  }

  private async recover(ids: readonly string[], notes: Notes, nowMs: number): Promise<void> {
    const failing = await this.rows.stillFailing(ids);
    if (failing.length === 0) return;
    const recovered = await this.storage.transaction(async (trx) => {
      const rows = (await this.rows.lock(trx, failing)).filter((row) => row.failingSince !== null);
      await this.rows.setFailingSince(trx, idsOf(rows), null);
      const told = rows.filter((row) => row.enabled && notes.get(row.id)?.hasRecovered === true && isNoHiccup(row, nowMs));
      const facts = told.map((row) => endpointRecovered(row, 'succeeded'));
      await this.operational.book(trx, facts);
      return rows.map(endpointLabel);
    });
    if (recovered.length > 0) this.logger.log(`Endpoints that succeed again: ${recovered.join(', ')}`);
  }

  /** @returns the endpoints that are enabled, as their rows are now. */
  private async recordFailures(ids: readonly string[], notes: Notes, nowMs: number): Promise<EndpointFailures[]> {
    const rows = await this.rows.read(ids);
    const isBegun = (row: EndpointFailures): boolean => row.failingSince === null && notes.get(row.id)?.state === 'failing';
    const begun = new Set(await this.rows.setFailingSince(this.storage.db, idsOf(rows.filter(isBegun)), nowMs));
    const told = rows.filter((row) => begun.has(row.id)).map((row) => `${endpointLabel(row)} with ${notes.get(row.id)?.code ?? ''}`);
    if (told.length > 0) this.logger.warn(`Endpoints that began to fail: ${told.join(', ')}`);
    const counting = rows.filter((row) => row.policy?.kind === 'failures');
    const counts = await this.rows.addFailures(new Map(counting.map((row) => [row.id, notes.get(row.id)?.failures ?? 0])));
    // What follows may fail and bring the notes back.
    for (const [id, note] of notes) if (counts.has(id)) note.failures = 0;
    return rows.map((row) => ({
      ...row,
      failingSince: isBegun(row) ? nowMs : row.failingSince,
      failureCount: counts.get(row.id) ?? row.failureCount,
    }));
  }

  private async givenUp(rows: readonly EndpointFailures[], notes: Notes, nowMs: number): Promise<string[]> {
    const due = rows.filter((row) => isDue(row, nowMs));
    const asked = due.map((row) => ({ ...row, lastFailureBegunAt: notes.get(row.id)?.lastFailureBegunAt ?? 0 }));
    const held = await this.guard.holdBack(asked, () => this.rows.failingHosts(), nowMs);
    const first = due.find((row) => held.has(row.id));
    const others = held.size > 1 ? ` and ${held.size - 1} more` : '';
    if (first !== undefined)
      this.logger.warn(`Not disabled although it fails, since nobody else is reached either: ${endpointLabel(first)}${others}`);
    return idsOf(due).filter((id) => !held.has(id));
  }

  /** @param isStill Asked of the rows once nobody else can change them. */
  private async disable(ids: readonly string[], reason: 'endpoint_gone' | 'failing', isStill: Condition, nowMs: number): Promise<boolean> {
    if (ids.length === 0) return false;
    const disabled = await this.storage.transaction(async (trx) => {
      const rows = (await this.rows.lock(trx, ids)).filter((row) => row.enabled && isStill(row, nowMs));
      if (rows.length > 0) await this.disableIn(trx, rows, reason);
      return rows.map(endpointLabel);
    });
    if (disabled.length > 0) this.logger.warn(`Disabled endpoints (${reason}): ${disabled.join(', ')}`);
    return disabled.length > 0;
  }

  private async disableIn(trx: Transaction<Schema>, rows: readonly EndpointFailures[], reason: string): Promise<void> {
    await this.rows.disable(trx, idsOf(rows), reason);
    await bumpRegistryVersion(trx);
    const facts = rows.map((row) => endpointDisabled(row, reason));
    await this.operational.book(trx, facts);
  }
}

const idsOf = (rows: readonly EndpointFailures[]): string[] => rows.map((row) => row.id);
