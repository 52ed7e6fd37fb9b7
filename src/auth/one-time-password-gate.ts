import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { GatewayError, isOutage } from '../core/errors';
import { stepOfCode } from './one-time-password';
import { OneTimePasswordRepository, type OtpUse } from './one-time-password.repository';
import { WrongCodes, callerOf, lockedUntil } from './wrong-codes';

const PRUNE_MS = 60_000;

/** A request with the code that came with it. */
export interface CodedRequest {
  door: string;
  /** Undefined: there was none. */
  code: string | undefined;
  body: Buffer;
  /** Where it came from. */
  address: string;
}

/**
 * Lets requests in by one-time passwords, for all processes together: each request once by each code, and none from an address that
 * sent too many wrong ones. A request is marked as used once it is accepted, not before: one that could not be stored may be sent again
 * as it is. docs/adr/0026.
 */
@Injectable()
export class OneTimePasswordGate implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(OneTimePasswordGate.name);
  private readonly wrongCodes = new WrongCodes();
  /** Requests that are being accepted by this process. */
  private readonly underWay = new Map<string, Promise<unknown>>();
  private pruneTimer: NodeJS.Timeout | undefined;

  constructor(private readonly repository: OneTimePasswordRepository) {}

  onModuleInit(): void {
    this.pruneTimer = setInterval(() => void this.prune(), PRUNE_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.pruneTimer);
  }

  /**
   * @param accept stores the request for good. Two processes may be at it with the same request at once, and it may come again where the
   *   storage fails right after: what it stores must be known by the step and the body.
   * @returns what `accept` resolves with.
   * @throws GatewayError `otp_missing`, `otp_locked`, `otp_invalid`, `otp_replayed`, `storage_unavailable`, and what `accept` throws.
   */
  async admit<T>(request: CodedRequest, secrets: readonly Uint8Array[], accept: (step: number) => Promise<T>): Promise<T> {
    const step = await this.check(request, secrets);
    const use: OtpUse = { door: request.door, step, bodyHash: createHash('sha256').update(request.body).digest('hex') };
    const key = `${use.door} ${use.step} ${use.bodyHash}`;
    const first = this.underWay.get(key);
    if (first) {
      // What it throws is true of this one too.
      await first;
      throw replayed();
    }
    const accepted = this.acceptOnce(use, accept).finally(() => this.underWay.delete(key));
    this.underWay.set(key, accepted);
    return accepted;
  }

  /** @returns the step of the code. */
  private async check({ code, address }: CodedRequest, secrets: readonly Uint8Array[]): Promise<number> {
    if (code === undefined || code === '') throw new GatewayError('otp_missing', 'There is no X-OTP');
    const nowMs = Date.now();
    const caller = callerOf(address);
    assertOpen(this.wrongCodes.of(caller), nowMs);
    const step = stepOfCode(code, secrets, nowMs);
    if (step === undefined) this.wrongCodes.add(caller, nowMs);
    const everywhere = await this.repository.wrongCodesOf(caller);
    // Those that come while it is locked do not prolong it.
    if (isLocked(everywhere, nowMs)) this.wrongCodes.set(caller, everywhere);
    assertOpen(everywhere, nowMs);
    if (step !== undefined) return step;
    await this.repository.addWrongCode(caller, nowMs);
    throw new GatewayError('otp_invalid', 'X-OTP is not the code of this moment');
  }

  private async acceptOnce<T>(use: OtpUse, accept: (step: number) => Promise<T>): Promise<T> {
    if (await this.repository.isUsed(use)) throw replayed();
    const result = await accept(use.step);
    if (!(await this.markUsed(use))) throw replayed();
    return result;
  }

  /** @returns false when another process has accepted it too, and was first. */
  private async markUsed(use: OtpUse): Promise<boolean> {
    try {
      return await this.repository.use(use);
    } catch (error) {
      // It is stored: whoever sent it must not hear that it failed. Sent once more it would be found to be a duplicate.
      if (!isOutage(error)) throw error;
      this.logger.warn('A one-time password could not be marked as used, since the storage went away');
      return true;
    }
  }

  private async prune(): Promise<void> {
    try {
      await this.repository.prune(Date.now());
    } catch (error) {
      this.logger.debug(`Used one-time passwords were not pruned: ${(error as Error).message}`);
    }
  }
}

const replayed = (): GatewayError => new GatewayError('otp_replayed');

const isLocked = (wrongCodes: readonly number[], nowMs: number): boolean => (lockedUntil(wrongCodes) ?? 0) > nowMs;

/** @throws GatewayError `otp_locked`. */
function assertOpen(wrongCodes: readonly number[], nowMs: number): void {
  const until = lockedUntil(wrongCodes) ?? 0;
  if (until <= nowMs) return;
  throw new GatewayError('otp_locked', undefined, { retryAfterSeconds: Math.ceil((until - nowMs) / 1_000) });
}
