import { isIPv4, isIPv6 } from 'node:net';

/** An address as a number, so that ranges are arithmetic and no spelling escapes them. */
export interface IpAddress {
  family: 4 | 6;
  value: bigint;
}

/** A range of addresses: all that share the first `prefix` bits of `value`. */
export interface IpRange extends IpAddress {
  prefix: number;
}

const BITS = { 4: 32, 6: 128 } as const;

/** Undefined for what is no address in one of its canonical spellings (dotted IPv4, IPv6 without a zone). */
export function parseAddress(text: string): IpAddress | undefined {
  if (isIPv4(text)) return { family: 4, value: ipv4Value(text) };
  if (isIPv6(text) && !text.includes('%')) return { family: 6, value: ipv6Value(text) };
  return undefined;
}

/** `10.0.0.0/8`, `fd00::/8`, or one address. Undefined when it is neither, or has bits set after its prefix. */
export function parseRange(text: string): IpRange | undefined {
  const [base = '', bits, ...rest] = text.split('/');
  const address = parseAddress(base);
  if (address === undefined || rest.length > 0) return undefined;
  const prefix = bits === undefined ? BITS[address.family] : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
  if (prefix < 0 || prefix > BITS[address.family]) return undefined;
  const hostBits = BigInt(BITS[address.family] - prefix);
  return (address.value >> hostBits) << hostBits === address.value ? { ...address, prefix } : undefined;
}

export function isWithin(address: IpAddress, range: IpRange): boolean {
  if (address.family !== range.family) return false;
  const hostBits = BigInt(BITS[range.family] - range.prefix);
  return address.value >> hostBits === range.value >> hostBits;
}

/** The form in which a socket that listens for both families names an IPv4 client. */
const MAPPED: IpRange = { family: 6, value: 0xffff_0000_0000n, prefix: 96 };

/** False for what is no address. An IPv4-mapped IPv6 address is in the ranges of the IPv4 address too. */
export function isInRanges(text: string, ranges: readonly IpRange[]): boolean {
  const address = parseAddress(text);
  if (address === undefined) return false;
  if (ranges.some((range) => isWithin(address, range))) return true;
  if (!isWithin(address, MAPPED)) return false;
  const inner: IpAddress = { family: 4, value: address.value & 0xffff_ffffn };
  return ranges.some((range) => isWithin(inner, range));
}

const ipv4Value = (text: string): bigint => text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);

function ipv6Value(text: string): bigint {
  const dotted = text.slice(text.lastIndexOf(':') + 1);
  let plain = text;
  if (dotted.includes('.')) {
    const tail = ipv4Value(dotted);
    plain = `${text.slice(0, -dotted.length)}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
  }
  const [head = '', tail] = plain.split('::');
  const left = groupsOf(head);
  const right = tail === undefined ? [] : groupsOf(tail);
  const zeros = Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

const groupsOf = (text: string): string[] => (text === '' ? [] : text.split(':'));
