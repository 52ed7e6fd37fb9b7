import { newId } from '../../../core/ids';
import { GIVEN_UP_MS, GRACE_MS, Ownership, type SeenProcess, TRUST_MS } from './ownership';

const at = (sentAt: number, answeredAt = sentAt) => ({ sentAt, answeredAt });
const keys = Array.from({ length: 200 }, () => newId());
const [A, B] = [newId(), newId()];
const other = (bootId: string, changes: Partial<SeenProcess> = {}): SeenProcess => ({ bootId, ageMs: 0, activeInMs: -1, ...changes });
const shareOf = (ownership: Ownership, now: number): number => keys.filter((key) => ownership.owns(key, now)).length;

describe('Ownership', () => {
  it('is of everything, at once, for who is alone', () => {
    const alone = new Ownership(A);
    expect(shareOf(alone, 0)).toBe(0);
    alone.joined(at(0, 10), true);
    expect(shareOf(alone, 10)).toBe(keys.length);
  });

  it('ends when nothing is heard of the others for a while, before they give this process up', () => {
    const ownership = new Ownership(A);
    ownership.joined(at(0, 10), true);
    expect(shareOf(ownership, TRUST_MS - 1)).toBe(keys.length);
    expect(shareOf(ownership, TRUST_MS)).toBe(0);
    expect(TRUST_MS).toBeLessThan(GIVEN_UP_MS);
  });

  it('is not taken up again by a beat that was answered too late', () => {
    const ownership = new Ownership(A);
    ownership.joined(at(0, 10), true);
    expect(ownership.renewed(at(1_000, TRUST_MS), [])).toBe(false);
    expect(shareOf(ownership, TRUST_MS)).toBe(0);
    ownership.joined(at(TRUST_MS, TRUST_MS + 10), false);
    expect(shareOf(ownership, TRUST_MS + 10)).toBe(0);
  });

  it('is shared with who has joined from when that is active, and no earlier', () => {
    const ownership = new Ownership(A);
    ownership.joined(at(0, 10), true);
    ownership.renewed(at(1_000, 1_010), [other(B, { activeInMs: 500 })]);
    expect(shareOf(ownership, 1_499)).toBe(keys.length);
    expect(shareOf(ownership, 1_500)).toBeLessThan(keys.length);
  });

  it('comes back from one that is given up, or that is shutting down', () => {
    const ownership = new Ownership(A);
    ownership.joined(at(0, 10), true);
    ownership.renewed(at(1_000, 1_010), [other(B, { ageMs: GIVEN_UP_MS })]);
    expect(shareOf(ownership, 1_010)).toBeLessThan(keys.length);
    ownership.renewed(at(2_000, 2_010), [other(B, { ageMs: GIVEN_UP_MS + 1 })]);
    expect(shareOf(ownership, 2_010)).toBe(keys.length);
    ownership.renewed(at(3_000, 3_010), [other(B, { activeInMs: null })]);
    expect(shareOf(ownership, 3_010)).toBe(keys.length);
  });

  it('is never of two while one joins: the old owner stops before the new one begins', () => {
    const [old, joining] = [new Ownership(A), new Ownership(B)];
    old.joined(at(0), true);
    for (let beat = 1_000; beat <= 10_000; beat += 1_000) {
      // B joins at 2,500 by the database's clock and hears of it 300 ms later.
      const seen = beat < 2_500 ? [] : [other(B, { activeInMs: 2_500 + GRACE_MS - beat })];
      old.renewed(at(beat), seen);
      if (beat === 3_000) joining.joined(at(2_450, 2_800), false);
      if (beat >= 3_000) joining.renewed(at(beat + 100), [other(A, { activeInMs: -10_000 })]);
      for (let now = beat; now < beat + 1_000; now += 50) {
        expect(keys.filter((key) => old.owns(key, now) && joining.owns(key, now))).toEqual([]);
      }
    }
    expect(shareOf(old, 10_900) + shareOf(joining, 10_900)).toBe(keys.length);
  });

  it('calls nobody dead before it has been in touch for a while itself', () => {
    const ownership = new Ownership(A);
    const [dead, living, unknown] = [newId(), newId(), newId()];
    const seen = [other(dead, { ageMs: 20_000 }), other(living)];
    const nowMs = Date.now();
    ownership.joined(at(0), true);
    ownership.renewed(at(1_000), seen);
    expect(ownership.isAlive(dead, 1_000, nowMs)).toBe(true);
    for (const beat of [2_000, 3_000, 4_000]) ownership.renewed(at(beat), seen);
    expect(ownership.isAlive(dead, 4_000, nowMs)).toBe(false);
    expect(ownership.isAlive(living, 4_000, nowMs)).toBe(true);
    expect(ownership.isAlive(A, 4_000, nowMs)).toBe(true);
    expect(ownership.isAlive(unknown, 4_000, nowMs)).toBe(true);
    expect(ownership.isAlive(unknown, 4_000, nowMs + 120_000)).toBe(false);
    expect(ownership.isAlive(dead, 4_000 + TRUST_MS, nowMs)).toBe(true);
  });

  it('has a new epoch whenever keys may have changed hands, also there and back', () => {
    const ownership = new Ownership(A);
    ownership.joined(at(0, 10), true);
    ownership.renewed(at(1_000), [other(B, { activeInMs: 500 })]);
    const alone = ownership.epochAt(1_000);
    expect(ownership.epochAt(1_499)).toEqual(alone);
    const shared = ownership.epochAt(1_600);
    expect(shared).toMatchObject({ since: 1_500 });
    ownership.renewed(at(2_000), [other(B, { activeInMs: -500 })]);
    expect(ownership.epochAt(2_000)).toEqual(shared);
    ownership.renewed(at(3_000), []);
    expect(ownership.epochAt(3_000)).toMatchObject({ since: 3_000 });
    const names = [alone, shared, ownership.epochAt(3_000), ownership.epochAt(3_000 + TRUST_MS)].map(({ name }) => name);
    expect(new Set(names).size).toBe(4);
  });
});
