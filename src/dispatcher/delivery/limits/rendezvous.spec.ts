import { newId } from '../../../core/ids';
import { ownerOf } from './rendezvous';

const keys = Array.from({ length: 6_000 }, () => newId());

describe('ownerOf', () => {
  it('is nobody where there is nobody, and the only one there is', () => {
    expect(ownerOf('key', [])).toBeUndefined();
    expect(ownerOf('key', ['a'])).toBe('a');
  });

  it('does not depend on the order of members', () => {
    const members = [newId(), newId(), newId()];
    expect(keys.map((key) => ownerOf(key, members))).toEqual(keys.map((key) => ownerOf(key, members.toReversed())));
  });

  it('shares keys out evenly, also among ids that were made one after the other', () => {
    const members = [newId(), newId(), newId()];
    for (const member of members) {
      const share = keys.filter((key) => ownerOf(key, members) === member).length / keys.length;
      expect(share).toBeGreaterThan(0.3);
      expect(share).toBeLessThan(0.37);
    }
  });

  it('moves only keys of the member that joins or leaves', () => {
    const [a, b, c] = [newId(), newId(), newId()];
    for (const key of keys) {
      const before = ownerOf(key, [a, b]);
      const after = ownerOf(key, [a, b, c]);
      if (after !== c) expect(after).toBe(before);
    }
  });
});
