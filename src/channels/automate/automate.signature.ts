import { Injectable } from '@nestjs/common';
import { readSecret } from '../../auth/one-time-password';
import { type CodedRequest, OneTimePasswordGate } from '../../auth/one-time-password-gate';
import { GatewayError } from '../../core/errors';
import { AutomateConfig } from './automate.config';

/** The channel, its door, its application, and the ledger's source of all that comes in here. */
export const AUTOMATE = 'automate';

/** The step of the code that a request came with. */
export const STEP_ATTRIBUTE = 'otp-step';

/** Checks that the thread coordinator is asking: by its one-time password. */
@Injectable()
export class AutomateSignature {
  private readonly secrets: readonly Uint8Array[];

  constructor(
    config: AutomateConfig,
    private readonly gate: OneTimePasswordGate,
  ) {
    this.secrets = config.otpSecret.flatMap((secret) => readSecret(secret) ?? []);
  }

  /** As the gate's `admit`. @throws GatewayError `channel_not_configured` besides. */
  admit<T>(request: Omit<CodedRequest, 'door'>, accept: (step: number) => Promise<T>): Promise<T> {
    if (this.secrets.length === 0) throw new GatewayError('channel_not_configured', 'hookServer.automate.otpSecret is not set');
    return this.gate.admit({ ...request, door: AUTOMATE }, this.secrets, accept);
  }
}
