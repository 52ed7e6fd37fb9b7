import { readSecret, stepOfCode } from '../../../src/auth/one-time-password';
import { newId } from '../../../src/core/ids';
import { ThreadStore } from '../../../src/threads/thread-store';
import { AUTOMATE_SECRET, COORDINATOR_SECRET, otpOf } from '../../support/otp-service';
import type { Vector } from './channel-descriptor';
import { channelSuite } from './channel-suite';

interface OtpVector extends Vector {
  secretBase32: string;
  algorithm: 'SHA1' | 'SHA256' | 'SHA512';
  digits: 6 | 8;
  /** Steps of tolerance. */
  window: number;
  /** Seconds. */
  now: number;
  code: string;
}

const THREAD = 'facebook:111111:USER_1';

channelSuite({
  name: 'automate',
  doors: [
    {
      path: '/automate',
      contentType: 'application/json',
      answer: { status: 202, contentType: /^application\/json/, body: '{"status":"accepted"}' },
      // What is JSON and no handover is well-formed and not valid: 422, in test/integration/automate.
      malformed: {},
    },
  ],
  settings: (receiverUrl) => ({
    HOOK_SERVER_AUTOMATE_OTP_SECRET: `${COORDINATOR_SECRET},${AUTOMATE_SECRET}`,
    HOOK_SERVER_WEB_API_URL: new URL('/agents', receiverUrl).href,
  }),
  secrets: ['HOOK_SERVER_AUTOMATE_OTP_SECRET'],
  prepare: async ({ app }) => {
    const said = {
      threadId: THREAD,
      channel: 'facebook',
      accountId: 'default',
      author: 'USER_1',
      own: false,
      text: 'hello',
      attachments: [],
    };
    await app.get(ThreadStore, { strict: false }).write([{ ...said, at: 1, eventId: newId() }]);
  },
  signatureHeader: 'x-otp',
  unsigned: { missing: 'otp_missing', wrong: 'otp_invalid' },
  sign: (request) => ({ ...request, headers: { ...request.headers, 'x-otp': otpOf(AUTOMATE_SECRET) } }),
  repeated: { status: 409, code: 'otp_replayed' },
  vectors: {
    'totp-rfc6238': {
      holds: (vector) => {
        const { secretBase32, algorithm, digits, window: tolerance, now, code } = vector as OtpVector;
        const form = { algorithm: algorithm.toLowerCase() as 'sha1', digits, tolerance };
        return stepOfCode(code, [readSecret(secretBase32)!], now * 1_000, form) !== undefined;
      },
    },
  },
  payloads: {
    'handover.json': { events: [{ type: 'automate.handover', identity: 'acme', timestamp: '2026-11-22T12:00:00.000Z' }] },
    'handover_numbers.json': { events: [{ type: 'automate.handover', identity: '42', timestamp: '2016-03-23T00:25:52.000Z' }] },
    'handover_thread_only.json': { events: [{ type: 'automate.handover' }] },
  },
});
