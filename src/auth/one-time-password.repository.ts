import { Injectable } from '@nestjs/common';
import { newId } from '../core/ids';
import { Storage } from '../storage/storage';
import { stepAt } from './one-time-password';
import { MOST_WRONG_CODES, WRONG_CODES_KEPT_MS } from './wrong-codes';

/** A request and the step whose code it came with. */
export interface OtpUse {
  door: string;
  step: number;
  /** SHA-256, hex. */
  bodyHash: string;
}

/** No code counts so many steps after its own, even where processes' clocks differ by minutes. */
const KEPT_STEPS = 20;
/** Of wrong codes; beyond it the oldest are forgotten. */
const MOST_ROWS = 50_000;

/** What all processes know of one-time passwords. Everything throws GatewayError `storage_unavailable`. */
@Injectable()
export class OneTimePasswordRepository {
  constructor(private readonly storage: Storage) {}

  async isUsed({ door, step, bodyHash }: OtpUse): Promise<boolean> {
    const { db } = this.storage;
    const key = db.selectFrom('otp_uses').select('step').where('door', '=', door).where('step', '=', step);
    return (await key.where('body_hash', '=', bodyHash).executeTakeFirst()) !== undefined;
  }

  /** @returns false when it was used before. */
  async use({ door, step, bodyHash }: OtpUse): Promise<boolean> {
    const inserted = await this.storage.db
      .insertInto('otp_uses')
      .values({ door, step, body_hash: bodyHash })
      .onConflict((conflict) => conflict.doNothing())
      .returning('step')
      .executeTakeFirst();
    return inserted !== undefined;
  }

  /** When the caller sent its last wrong codes, the newest first. */
  async wrongCodesOf(caller: string): Promise<number[]> {
    const rows = await this.storage.db
      .selectFrom('otp_failures')
      .select('at')
      .where('address', '=', caller)
      .orderBy('at', 'desc')
      .limit(MOST_WRONG_CODES)
      .execute();
    return rows.map((row) => row.at);
  }

  async addWrongCode(caller: string, atMs: number): Promise<void> {
    await this.storage.db.insertInto('otp_failures').values({ address: caller, at: atMs, id: newId() }).execute();
  }

  /** Forgets what can no longer matter. */
  async prune(nowMs: number): Promise<void> {
    const { db } = this.storage;
    await db
      .deleteFrom('otp_uses')
      .where('step', '<', stepAt(nowMs) - KEPT_STEPS)
      .execute();
    const surplus = await db.selectFrom('otp_failures').select('at').orderBy('at', 'desc').limit(1).offset(MOST_ROWS).executeTakeFirst();
    const before = Math.max(nowMs - WRONG_CODES_KEPT_MS, (surplus?.at ?? -1) + 1);
    await db.deleteFrom('otp_failures').where('at', '<', before).execute();
  }
}
