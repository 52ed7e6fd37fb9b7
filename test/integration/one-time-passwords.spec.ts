import { Logger } from '@nestjs/common';
import { codeAt, readSecret, stepAt } from '../../src/auth/one-time-password';
import { OneTimePasswordGate } from '../../src/auth/one-time-password-gate';
import { OneTimePasswordRepository } from '../../src/auth/one-time-password.repository';
import { GatewayError } from '../../src/core/errors';
import type { Storage } from '../../src/storage/storage';
import { ENGINES, type Place } from '../conformance/storage/engines';

const MINUTE = 60_000;
const secret = readSecret('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ') as Uint8Array;
const rightCode = (): string => codeAt(secret, Date.now());
/** Right in no step near this one. */
const wrongCode = (): string => {
  const near = new Set([-60, -30, 0, 30, 60].map((seconds) => codeAt(secret, Date.now() + seconds * 1_000)));
  return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !near.has(code)) as string;
};

describe.each(ENGINES)('one-time passwords on $engine', (engine) => {
  let place: Place;
  let storages: Storage[];
  let gates: OneTimePasswordGate[];
  let accepted: string[];
  let addresses = 0;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    place = await engine.place();
    // An embedded database belongs to one process.
    const one = await place.open();
    storages = engine.engine === 'postgres' ? [one, await place.open()] : [one];
    gates = [one, storages.at(-1) as Storage].map((storage) => new OneTimePasswordGate(new OneTimePasswordRepository(storage)));
  });
  beforeEach(() => (accepted = []));
  afterAll(async () => {
    await Promise.all(storages.map((storage) => storage.close()));
    await place.release();
  });

  const newAddress = (): string => `198.51.100.${++addresses}`;
  const accept = (body: string) => (): Promise<string> => {
    accepted.push(body);
    return Promise.resolve('stored');
  };

  /** @returns `stored`, or the code of the refusal. */
  async function post(body: string, code: string | undefined, address = '192.0.2.1', gate = 0, store = accept(body)): Promise<string> {
    try {
      const request = { door: 'test', code, body: Buffer.from(body), address };
      return await (gates[gate] as OneTimePasswordGate).admit(request, [secret], store);
    } catch (error) {
      if (error instanceof GatewayError) return error.code;
      throw error;
    }
  }

  const retryAfterOf = async (address: string): Promise<number | undefined> => {
    const request = { door: 'test', code: rightCode(), body: Buffer.from('{}'), address };
    const error: unknown = await (gates[0] as OneTimePasswordGate).admit(request, [secret], accept('')).catch((thrown: unknown) => thrown);
    return error instanceof GatewayError ? error.retryAfterSeconds : undefined;
  };

  const sum = (answers: string[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const answer of answers) counts[answer] = (counts[answer] ?? 0) + 1;
    return counts;
  };

  it('lets one of twenty identical requests in at once, by each of two gates', async () => {
    const code = rightCode();
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => post('{"n":1}', code, undefined, index % 2)));
    expect(sum(answers)).toEqual({ stored: 1, otp_replayed: 19 });
    // One a gate at most; the dispatch drops the second by its key.
    expect(accepted.length).toBeLessThanOrEqual(2);
    expect(await post('{"n":1}', code)).toBe('otp_replayed');
    expect(await post('{"n":1}', code, undefined, 1)).toBe('otp_replayed');
  });

  it('lets many different requests in by one code', async () => {
    const code = rightCode();
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => post(`{"different":${index}}`, code, undefined, index % 2)));
    expect(sum(answers)).toEqual({ stored: 20 });
    expect(accepted).toHaveLength(20);
  });

  it('lets the same request in again by the next code', async () => {
    const [code, next] = [0, 30].map((seconds) => codeAt(secret, Date.now() + seconds * 1_000));
    expect(await post('{"n":2}', code)).toBe('stored');
    expect(await post('{"n":2}', next)).toBe('stored');
    expect(await post('{"n":2}', code)).toBe('otp_replayed');
    expect(await post('{"n":2}', next)).toBe('otp_replayed');
  });

  it('lets a request in again that was not accepted', async () => {
    const code = rightCode();
    const away = (): Promise<string> => Promise.reject(new GatewayError('broker_unavailable'));
    expect(await Promise.all([1, 2, 3].map(() => post('{"n":3}', code, undefined, 0, away)))).toEqual(Array(3).fill('broker_unavailable'));
    expect(await post('{"n":3}', code)).toBe('stored');
    expect(await post('{"n":3}', code)).toBe('otp_replayed');
  });

  it('locks an address after five wrong codes, also for the right one and at every gate', async () => {
    const address = newAddress();
    for (let count = 1; count <= 5; count++) expect(await post('{}', wrongCode(), address, count % 2)).toBe('otp_invalid');
    expect(await post('{}', wrongCode(), address, 0)).toBe('otp_locked');
    expect(await post('{}', rightCode(), address, 0)).toBe('otp_locked');
    expect(await post('{}', rightCode(), address, 1)).toBe('otp_locked');
    const seconds = await retryAfterOf(address);
    expect(seconds).toBeGreaterThan(14 * 60);
    expect(seconds).toBeLessThanOrEqual(15 * 60);
    expect(await post('{"elsewhere":1}', rightCode(), newAddress())).toBe('stored');
  });

  it('tries five codes of a burst, whatever else is in it', async () => {
    const address = newAddress();
    const burst = [...Array.from({ length: 40 }, wrongCode), rightCode()];
    const answers = await Promise.all(burst.map((code) => post('{"burst":1}', code, address)));
    expect(sum(answers)).toEqual({ otp_invalid: 5, otp_locked: 36 });
  });

  it('does not forget wrong codes for a right one between them', async () => {
    const address = newAddress();
    for (let count = 1; count <= 4; count++) await post('{}', wrongCode(), address);
    expect(await post('{"between":1}', rightCode(), address)).toBe('stored');
    expect(await post('{}', wrongCode(), address)).toBe('otp_invalid');
    expect(await post('{"between":2}', rightCode(), address)).toBe('otp_locked');
  });

  it('counts neither a repeat nor a request without a code', async () => {
    const address = newAddress();
    const code = rightCode();
    expect(await post('{"repeated":1}', code, address)).toBe('stored');
    for (let count = 1; count <= 6; count++) {
      expect(await post('{"repeated":1}', code, address)).toBe('otp_replayed');
      expect(await post('{"repeated":1}', undefined, address)).toBe('otp_missing');
    }
    expect(await post('{"repeated":2}', code, address)).toBe('stored');
  });

  it.each([
    { minutes: [5, 6, 7, 8, 9], answer: 'otp_locked' },
    { minutes: [14.9, 16, 17, 18, 19], answer: 'otp_locked' },
    { minutes: [15.1, 16, 17, 18, 19], answer: 'stored' },
    { minutes: [1, 2, 3, 4, 17], answer: 'stored' },
  ])('after wrong codes $minutes minutes ago: $answer', async ({ minutes, answer }) => {
    const address = newAddress();
    const repository = new OneTimePasswordRepository(storages[0] as Storage);
    for (const ago of minutes) await repository.addWrongCode(address, Date.now() - ago * MINUTE);
    expect(await post(`{"after":"${address}"}`, rightCode(), address)).toBe(answer);
  });

  it('is not locked for longer by what is refused meanwhile', async () => {
    const address = newAddress();
    const repository = new OneTimePasswordRepository(storages[0] as Storage);
    for (let count = 1; count <= 5; count++) await repository.addWrongCode(address, Date.now() - 14 * MINUTE);
    for (let count = 1; count <= 7; count++) expect(await post('{}', wrongCode(), address)).toBe('otp_locked');
    expect(await retryAfterOf(address)).toBeLessThanOrEqual(60);
  });

  it('forgets what can no longer matter', async () => {
    const [storage] = storages as [Storage];
    const repository = new OneTimePasswordRepository(storage);
    const nowMs = Date.now();
    await repository.use({ door: 'prune', step: stepAt(nowMs) - 21, bodyHash: 'old' });
    await repository.use({ door: 'prune', step: stepAt(nowMs) - 20, bodyHash: 'young' });
    await repository.addWrongCode('prune', nowMs - 31 * MINUTE);
    await repository.addWrongCode('prune', nowMs - 29 * MINUTE);
    await repository.prune(nowMs);
    const uses = await storage.db.selectFrom('otp_uses').select('body_hash').where('door', '=', 'prune').execute();
    expect(uses).toEqual([{ body_hash: 'young' }]);
    expect(await repository.wrongCodesOf('prune')).toEqual([nowMs - 29 * MINUTE]);
  });

  it('refuses everything with storage_unavailable while the storage is away', async () => {
    const away = await place.open();
    await away.close();
    const gate = new OneTimePasswordGate(new OneTimePasswordRepository(away));
    for (const code of [rightCode(), wrongCode()]) {
      const request = { door: 'test', code, body: Buffer.from('{"away":1}'), address: '192.0.2.9' };
      await expect(gate.admit(request, [secret], accept(''))).rejects.toMatchObject({ code: 'storage_unavailable' });
    }
    expect(accepted).toEqual([]);
  });
});
