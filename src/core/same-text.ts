import { createHash, timingSafeEqual } from 'node:crypto';

/** Takes the same time whatever the two have in common, their lengths too. */
export const isSameText = (one: string, other: string): boolean => timingSafeEqual(sha256(one), sha256(other));

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
