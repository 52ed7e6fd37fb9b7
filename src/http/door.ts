import { Injectable, Module } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Preset, PresetContext, PresetSettings } from '../presets/preset';
import type { ReceivedRequest } from './received-request';
import { addToRoute } from './route-config';

/**
 * Marks a route where webhooks or events come in. Refusals at it are listed in /api/v1/requests and counted under the source's
 * name; while its entry in the DoorRegistry says so it answers 404 or 503.
 */
export const Door = (source: string): MethodDecorator => addToRoute({ door: source });

export interface DoorState {
  /** False: the door answers as if it were not there. */
  isEnabled(): boolean;
  /**
   * Looks for what the request's path names, where a door is many sources; the door's handler has it in `request.named`.
   * @returns Undefined (or a promise of it) where there is none: 404, before anything else is looked at.
   */
  find?(request: FastifyRequest): unknown;
  /** The setting that it needs to check a sender with such a request, while that is not set. */
  missingSetting(method: string): string | undefined;
  /**
   * Takes a webhook in by the code that the door's route runs, for one that was refused before; absent where none can be.
   * @returns what the sender would be answered.
   * @throws GatewayError what the door refuses it with.
   */
  receive?(request: ReceivedRequest): Promise<unknown>;
  /** Asked only of a request that is refused; absent where one door is one source and its path holds no secret. */
  describe?(request: ReceivedRequest): RefusedAt;
  /** How each source of this door is checked today, for whoever looks for the reason of a refusal. */
  checks?(): readonly SourceCheck[] | Promise<readonly SourceCheck[]>;
  /** Of a source that this door is or was; absent where none has a state of its own. */
  stateOf?(ledgerSource: string): SourceState;
}

export type SourceState = 'enabled' | 'disabled' | 'deleted';

/** How the requests of one source are checked. */
export interface SourceCheck {
  /** As in the ledger. */
  source: string;
  /** For people: `facebook`, `the source "shop"`. */
  title: string;
  preset: Preset;
  settings: PresetSettings;
  context: PresetContext;
  /** Where its secrets are set: `verification.secrets` of a source, of a channel such as `hookServer.facebook.appSecret`. */
  secretSetting: string;
  /** Secrets that counted once and are still known. */
  oldSecrets?: readonly string[];
}

/** Under what a refusal is listed. */
export interface RefusedAt {
  /** As in the ledger, such as `in:<source id>`. */
  source: string;
  /** Without the query, and with `***` for what is secret in it: `/in/***`. */
  path: string;
  /** Whose source it is. */
  accountId?: string;
}

/** The doors of this process by their sources. A door that nobody registered is open. */
@Injectable()
export class DoorRegistry {
  private readonly doors = new Map<string, DoorState>();

  register(source: string, state: DoorState): void {
    this.doors.set(source, state);
  }

  isEnabled(source: string): boolean {
    return this.doors.get(source)?.isEnabled() ?? true;
  }

  /** As `DoorState.find`; null of a door that is one source. */
  find(source: string, request: FastifyRequest): unknown {
    const door = this.doors.get(source);
    return door?.find === undefined ? null : door.find(request);
  }

  missingSetting(source: string, method: string): string | undefined {
    return this.doors.get(source)?.missingSetting(method);
  }

  /** Undefined where none is registered, or what came there cannot be taken in again. */
  receiver(source: string): DoorState['receive'] {
    const door = this.doors.get(source);
    return door?.receive?.bind(door);
  }

  /** Of all doors. */
  async checks(): Promise<SourceCheck[]> {
    const lists = await Promise.all([...this.doors.values()].map(async (door) => (await door.checks?.()) ?? []));
    return lists.flat();
  }

  /** Of one source of a door, today. */
  stateOf(door: string, ledgerSource: string): SourceState {
    if (!this.isEnabled(door)) return 'disabled';
    return this.doors.get(door)?.stateOf?.(ledgerSource) ?? 'enabled';
  }

  describe(source: string, request: ReceivedRequest): RefusedAt {
    return this.doors.get(source)?.describe?.(request) ?? { source, path: request.target.split('?', 1)[0] ?? '' };
  }
}

@Module({ providers: [DoorRegistry], exports: [DoorRegistry] })
export class DoorModule {}
