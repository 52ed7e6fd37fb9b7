import { Injectable, Module } from '@nestjs/common';
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
  /** The setting that it needs to check a sender with such a request, while that is not set. */
  missingSetting(method: string): string | undefined;
  /**
   * Takes a webhook in as the door does, for one that was refused before; absent where none can be.
   * @throws GatewayError what the door refuses it with.
   */
  receive?(request: ReceivedRequest): Promise<void>;
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

  missingSetting(source: string, method: string): string | undefined {
    return this.doors.get(source)?.missingSetting(method);
  }
}

@Module({ providers: [DoorRegistry], exports: [DoorRegistry] })
export class DoorModule {}
