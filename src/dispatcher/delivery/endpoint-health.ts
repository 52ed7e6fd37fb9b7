import { Injectable, Logger } from '@nestjs/common';
import { RegistryVersion } from '../../storage/registry-version';
import { Storage } from '../../storage/storage';
import { OperationalEvents } from '../operational/operational-events';
import { RegistryService } from '../registry/registry.service';
import { type EndpointNote, followed, notesOf } from './endpoint-notes';
import { EndpointStates, type Notes } from './endpoint-states';
import { NotedStates } from './noted-states';
import { OutageGuard } from './outage-guard';
import type { Outcome } from './outcome';

/**
 * Disables endpoints that are gone (410) or that their policy gives up. Runs beside the settling and costs no query while an endpoint
 * stays as it was; failures that a policy counts are written once a group. The rows decide, so neither a restart nor a second
 * process changes the outcome.
 */
@Injectable()
export class EndpointHealth {
  private readonly logger = new Logger(EndpointHealth.name);
  private readonly known = new NotedStates<EndpointNote['state']>();
  private readonly guard = new OutageGuard();
  private readonly states: EndpointStates;
  /** Kept until they are written: counts must not get lost. */
  private waiting = new Map<string, EndpointNote>();
  private writing: Promise<void> | undefined;

  constructor(
    storage: Storage,
    operational: OperationalEvents,
    private readonly version: RegistryVersion,
    private readonly registry: RegistryService,
  ) {
    this.states = new EndpointStates(storage, operational, this.guard);
  }

  note(outcomes: readonly Outcome[]): void {
    const nowMs = Date.now();
    for (const [endpointId, note] of notesOf(outcomes)) {
      if (note.hasSucceeded) this.guard.succeeded(nowMs);
      if (!this.isNews(endpointId, note, nowMs)) continue;
      this.known.note(endpointId, note.state, nowMs);
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
    if (!this.known.isKnown(endpointId, note.state, nowMs)) return true;
    return this.guard.isToBeAsked(endpointId, note.lastFailureBegunAt);
  }

  private async writeAll(): Promise<void> {
    while (this.waiting.size > 0) {
      const notes = this.waiting;
      this.waiting = new Map();
      try {
        if (await this.states.write(notes, Date.now())) await this.version.changed();
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
      this.known.forget(endpointId);
    }
  }
}
