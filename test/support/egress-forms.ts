import type { LookupAddress } from 'node:dns';
import type { EgressGuard } from '../../src/dispatcher/delivery/egress/egress-guard';
import type { Resolve } from '../../src/dispatcher/delivery/egress/name-lookups';

const HOSTS = [
  // one address, 127.0.0.1, in the forms that a URL may give it
  '127.0.0.1',
  '127.0.0.1.',
  '127.1',
  '127.0.1',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0X7F.0x0.0x0.0x1',
  '0177.0.0.1',
  '017700000001',
  '0177.0x0.0.1',
  '①②⑦.⓪.⓪.①',
  '127。0。0。1',
  '%31%32%37.0.0.1',
  // the rest of loopback, and "this host"
  '127.255.255.254',
  '0',
  '0.0.0.0',
  // IPv6 of this host, and IPv4 inside of IPv6
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::FFFF:0:127.0.0.1]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  '[2001:0:4136:e378:8000:63bf:80ff:fffe]',
  // networks that are not public
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '100.64.0.1',
  '169.254.0.1',
  '192.0.0.8',
  '192.0.2.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '[fc00::1]',
  '[fd12:3456::1]',
  '[fe80::1]',
  '[fec0::1]',
  '[ff02::1]',
  '[2001:db8::1]',
  // where clouds hand out credentials
  '169.254.169.254',
  '0xa9fea9fe',
  '100.100.100.200',
  '168.63.129.16',
  '[fd00:ec2::254]',
  '[::ffff:169.254.169.254]',
  'metadata.google.internal',
  'metadata.google.internal.',
  // names
  'localhost',
  'LocalHost',
  'localhost.',
  'localhost.localdomain',
  'anything.localhost',
  'inward.test',
  'both.test',
  'mapped.test',
  'nat64.test',
  'metadata.test',
];

/** URLs that must be refused at save, at test and at delivery; those that lead to this machine lead to the port. */
export const refusedUrls = (port: number): string[] => [
  ...HOSTS.map((host) => `http://${host}:${port}/hook`),
  `https://127.0.0.1:${port}/`,
  `http://user@127.0.0.1:${port}/`,
  `http://example.com@127.0.0.1:${port}/`,
  `http://user:password@public.test:${port}/`,
  `ftp://127.0.0.1:${port}/`,
  `ws://127.0.0.1:${port}/`,
  `gopher://127.0.0.1:${port}/`,
  'file:///etc/passwd',
  'data:text/plain,x',
  'http://public.test:0/',
];

const PUBLIC = '93.184.216.34';

const NAMES: Readonly<Record<string, string[]>> = {
  'inward.test': ['127.0.0.1'],
  'both.test': ['::1', '127.0.0.1'],
  'mapped.test': ['::ffff:127.0.0.1'],
  'nat64.test': ['64:ff9b::7f00:1'],
  'metadata.test': ['169.254.169.254'],
  'public.test': [PUBLIC],
};

/** Answers for the names of this suite. `flip.test` is public when it is asked first, and on this machine ever after. */
export function fakeResolve(): Resolve {
  let flips = 0;
  return (name, callback) => {
    const addresses = name === 'flip.test' ? [flips++ === 0 ? PUBLIC : '127.0.0.1'] : NAMES[name];
    const found = addresses?.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 }));
    setImmediate(() =>
      found === undefined ? callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []) : callback(null, found),
    );
  };
}

/** Puts a resolver in the place of the system's, which no test may ask. */
export function resolveWith(guard: EgressGuard, resolve: Resolve): void {
  Object.assign(guard, { resolve });
}
