import { type IpAddress, type IpRange, isWithin, parseAddress, parseRange } from '../../../core/ip-address';

const ranges = (...texts: string[]): IpRange[] =>
  texts.map((text) => {
    const range = parseRange(text);
    if (range === undefined) throw new RangeError(`${text} is no range`);
    return range;
  });

/** IPv4 that is not the public internet's (IANA special-purpose registry). */
const REFUSED_IPV4 = ranges(
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carrier-grade NAT
  '127.0.0.0/8', // loopback
  '168.63.129.16/32', // Azure's host, though a public address
  '169.254.0.0/16', // link-local, metadata
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.31.196.0/24', // AS112
  '192.52.193.0/24', // AMT
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '192.175.48.0/24', // AS112
  '198.18.0.0/15', // benchmarking
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
);

/**
 * IPv6 is open in its global unicast range only. What lies outside is refused with it: unspecified, loopback, IPv4-mapped and
 * -compatible, NAT64, discard-only, unique local, link-local, site-local, multicast.
 */
const [GLOBAL_IPV6] = ranges('2000::/3') as [IpRange];
const REFUSED_IPV6 = ranges(
  '2001::/23', // protocol assignments, with Teredo, ORCHID and benchmarking
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '2620:4f:8000::/48', // AS112
  '3fff::/20', // documentation
);

/** Where clouds hand out credentials. No setting opens these. */
const METADATA = ranges(
  '169.254.169.254', // most clouds
  '169.254.169.253', // AWS resolver
  '169.254.170.2', // AWS container credentials
  '169.254.170.23', // AWS pod identity
  '169.254.0.23', // Tencent
  '169.254.42.42', // Scaleway
  '100.100.100.200', // Alibaba
  '168.63.129.16', // Azure
  '192.0.0.192', // Oracle
  'fd00:ec2::254', // AWS
  'fd00:ec2::23', // AWS pod identity
  'fd20:ce::254', // Google
  'fd00:42::42', // Scaleway
);

export const LOOPBACK: readonly IpRange[] = ranges('127.0.0.0/8', '::1');

const [MAPPED, COMPATIBLE, NAT64, NAT64_LOCAL, SIX_TO_FOUR, TEREDO] = ranges(
  '::ffff:0:0/96',
  '::/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '2002::/16',
  '2001::/32',
) as [IpRange, IpRange, IpRange, IpRange, IpRange, IpRange];

const ipv4 = (value: bigint): IpAddress => ({ family: 4, value: value & 0xffff_ffffn });

/** The IPv4 addresses that an IPv6 address may end up at. */
function embeddedIpv4(address: IpAddress): IpAddress[] {
  const { value } = address;
  if (address.family === 4) return [];
  if ([MAPPED, COMPATIBLE, NAT64].some((range) => isWithin(address, range))) return [ipv4(value)];
  // The operator's own prefix may be of any length; bits 64 to 71 are left out of the IPv4 address.
  if (isWithin(address, NAT64_LOCAL)) return [ipv4(value), ipv4(((value >> 64n) << 16n) | ((value >> 40n) & 0xffffn)), ipv4(value >> 24n)];
  if (isWithin(address, SIX_TO_FOUR)) return [ipv4(value >> 80n)];
  if (isWithin(address, TEREDO)) return [ipv4(~value), ipv4(value >> 64n)];
  return [];
}

const isIn = (address: IpAddress, list: readonly IpRange[]): boolean => list.some((range) => isWithin(address, range));

function isPublic(address: IpAddress): boolean {
  if (address.family === 4) return !isIn(address, REFUSED_IPV4);
  return isWithin(address, GLOBAL_IPV6) && !isIn(address, REFUSED_IPV6);
}

/** True when a connection to the address may be made. What is no address is refused. */
export function isAddressAllowed(text: string, opened: readonly IpRange[]): boolean {
  const address = parseAddress(text);
  if (address === undefined) return false;
  const embedded = embeddedIpv4(address);
  if ([address, ...embedded].some((each) => isIn(each, METADATA))) return false;
  if (isPublic(address) || isIn(address, opened)) return true;
  // To the operating system a mapped address is the IPv4 address itself.
  return isWithin(address, MAPPED) && embedded.some((each) => isIn(each, opened));
}
