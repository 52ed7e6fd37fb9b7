import { isAddressAllowed } from './address-rules';
import { type IpRange, parseAddress, parseRange } from '../../../core/ip-address';

const open = (...texts: string[]): IpRange[] => texts.map((text) => parseRange(text) as IpRange);

const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
  '169.253.255.255',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '203.0.114.0',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450:4001:80b::200e',
  '2001:4860:4860::8888',
  '2003::1',
];

const REFUSED = [
  // unspecified, private, loopback, link-local, carrier-grade NAT
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.0',
  '10.255.255.255',
  '100.64.0.0',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.255',
  '169.254.0.1',
  '172.16.0.0',
  '172.31.255.255',
  '192.168.0.1',
  // metadata
  '169.254.169.254',
  '169.254.170.2',
  '100.100.100.200',
  '168.63.129.16',
  'fd00:ec2::254',
  // special purposes, documentation, multicast, reserved, broadcast
  '192.0.0.8',
  '192.0.2.1',
  '192.88.99.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.7',
  '203.0.113.9',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  // IPv6: unspecified, loopback, unique local, link-local, site-local, multicast, discard, documentation
  '::',
  '::1',
  '0:0:0:0:0:0:0:1',
  'fc00::1',
  'fdff:ffff::1',
  'fe80::1',
  'febf::1',
  'fec0::1',
  'ff02::1',
  '100::1',
  '2001:db8::1',
  '3fff::1',
  '5f00::1',
  '4000::1',
  // IPv4 inside IPv6, in both spellings, of public addresses too
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::FFFF:10.0.0.1',
  '::ffff:8.8.8.8',
  '::127.0.0.1',
  '::7f00:1',
  '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b::169.254.169.254',
  '64:ff9b:1::7f00:1',
  '2002:7f00:1::',
  '2002:a9fe:a9fe::1',
  '2001:0:4136:e378:8000:63bf:3fff:fdd2',
  '2001::1',
  '2001:10::1',
  // no addresses
  '',
  'localhost',
  'example.com',
  '127.1',
  '2130706433',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '127.0.0.1.',
  '[::1]',
  'fe80::1%lo',
  '1.1.1.1/32',
  '::ffff:300.0.0.1',
];

describe('isAddressAllowed', () => {
  it.each(PUBLIC)('lets %s pass', (address) => {
    expect(isAddressAllowed(address, [])).toBe(true);
  });

  it.each(REFUSED)('refuses %j', (address) => {
    expect(isAddressAllowed(address, [])).toBe(false);
  });

  it.each([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.4', '10.1.2.3', false],
    ['11.0.0.1', '10.0.0.0/8', true],
    ['192.168.0.1', '10.0.0.0/8', false],
    ['127.0.0.1', '127.0.0.0/8', true],
    ['::ffff:127.0.0.1', '127.0.0.0/8', true],
    ['::127.0.0.1', '127.0.0.0/8', false],
    ['64:ff9b::7f00:1', '127.0.0.0/8', false],
    ['64:ff9b::7f00:1', '64:ff9b::/96', true],
    ['::1', '127.0.0.0/8', false],
    ['::1', '::1', true],
    ['fd12::1', 'fd00::/8', true],
    ['fc12::1', 'fd00::/8', false],
  ])('%s with %s opened: %s', (address, range, allowed) => {
    expect(isAddressAllowed(address, open(range))).toBe(allowed);
  });

  it.each([
    '169.254.169.254',
    '169.254.170.2',
    '100.100.100.200',
    '168.63.129.16',
    '::ffff:169.254.169.254',
    '::169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1:a9fe:a9:fe00::',
    '64:ff9b:1::a9fe:a9fe',
    '2002:a9fe:a9fe::',
    '2001:0:a9fe:a9fe::1',
    '2001:0:1:1:0:0:5601:5601',
    'fd00:ec2::254',
    'fd20:ce::254',
  ])('never opens %s', (address) => {
    expect(isAddressAllowed(address, open('0.0.0.0/0', '::/0'))).toBe(false);
  });
});

describe('parseAddress', () => {
  it.each([
    ['1.2.3.4', 0x01020304n],
    ['::', 0n],
    ['::1', 1n],
    ['1::', 1n << 112n],
    ['1:2:3:4:5:6:7:8', 0x00010002000300040005000600070008n],
    ['1:2:3:4:5:6:7::', 0x00010002000300040005000600070000n],
    ['::2:3:4:5:6:7:8', 0x00000002000300040005000600070008n],
    ['fe80::ABCD', 0xfe80000000000000000000000000abcdn],
    ['::ffff:1.2.3.4', 0xffff01020304n],
    ['1:2:3:4:5:6:1.2.3.4', 0x00010002000300040005000601020304n],
  ])('reads %s', (text, value) => {
    expect(parseAddress(text)?.value).toBe(value);
  });
});

describe('parseRange', () => {
  it.each(['10.0.0.0/8', '0.0.0.0/0', '1.2.3.4', '1.2.3.4/32', 'fd00::/8', '::/0', '::1/128'])('takes %s', (text) => {
    expect(parseRange(text)).toBeDefined();
  });

  it.each([
    '',
    '10.0.0.0/33',
    '10.0.0.1/8',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10/8',
    'fd00::/129',
    'fd00::1/8',
    'localhost',
    '*',
  ])('does not take %j', (text) => {
    expect(parseRange(text)).toBeUndefined();
  });
});
