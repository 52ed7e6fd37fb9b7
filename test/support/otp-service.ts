import { generateSync, verifySync } from 'otplib';
import { type Answer, type Received, Receiver } from './receiver';

/** Secrets of the tests, in base32. */
export const AUTOMATE_SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
export const COORDINATOR_SECRET = 'MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK';

/** A code as the other side makes it, of this moment or so many seconds from it. */
export const otpOf = (secret: string, seconds = 0): string => generateSync({ secret, epoch: Math.floor(Date.now() / 1_000) + seconds });

/** Right in no step near this one. */
export function wrongOtp(secret: string): string {
  const near = new Set([-60, -30, 0, 30, 60].map((seconds) => otpOf(secret, seconds)));
  return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !near.has(code))!;
}

/** A service that takes calls with a one-time password of its secret and refuses all others; records both. */
export class OtpService {
  /** Decides what a call with a right password is answered. */
  answer: (request: Received) => Answer = () => ({ status: 204 });

  private constructor(
    private readonly receiver: Receiver,
    secret: string,
  ) {
    receiver.answer = (request) => (isRight(secret, request) ? this.answer(request) : { status: 401 });
  }

  static async start(secret: string): Promise<OtpService> {
    return new OtpService(await Receiver.start(), secret);
  }

  get url(): string {
    return new URL('/', this.receiver.url).href;
  }

  /** Calls for one thread, in the order they came. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the assertions of the tests are its type
  callsOf(threadId: string, action: 'handover' | 'owner'): { id: string; body: any }[] {
    return this.receiver.received
      .filter(({ path }) => decodeURIComponent(path) === `/threads/${threadId}/${action}`)
      .map(({ id, body }) => ({ id, body: JSON.parse(body.toString()) }));
  }

  get received(): Received[] {
    return this.receiver.received;
  }

  stop(): Promise<void> {
    return this.receiver.stop();
  }
}

function isRight(secret: string, { headers }: Received): boolean {
  const token = headers['x-otp'];
  return typeof token === 'string' && /^\d{6}$/.test(token) && verifySync({ secret, token, epochTolerance: 30 }).valid;
}
