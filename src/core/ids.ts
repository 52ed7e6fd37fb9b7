import { v7 } from 'uuid';

/** A UUIDv7: sorts by the millisecond it was made in, so tables partition by ranges of it. */
export const newId = (): string => v7();

/** The smallest UUIDv7 of a millisecond; ids made from then on are greater or equal. */
export function firstIdAt(timeMs: number): string {
  const hex = Math.max(0, Math.floor(timeMs)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7000-8000-000000000000`;
}

/** The millisecond in which a UUIDv7 was made. */
export const timeOfId = (id: string): number => parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** True for a lower-case UUID; anything else can be no id of ours, and PostgreSQL would refuse it as one. */
export const isId = (text: string): boolean => UUID.test(text);

/** This boot of this process: the owner of the leases that it takes. */
export const BOOT_ID = newId();
