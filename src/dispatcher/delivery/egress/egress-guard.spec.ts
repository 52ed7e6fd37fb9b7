import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, type Server, createServer } from 'node:net';
import { Client } from 'undici';
import { eventually } from '../../../../test/support/eventually';
import { failureCodeOf } from '../http/failure-code';
import { EgressGuard, type EgressRules } from './egress-guard';
import type { Resolve } from './name-lookups';

const address = (text: string): LookupAddress => ({ address: text, family: text.includes(':') ? 6 : 4 });

/** Answers with each list in turn, then with the last one for ever. */
const answering = (...answers: string[][]): Resolve => {
  let asked = 0;
  return (_name, callback) => {
    const answer = answers[Math.min(asked++, answers.length - 1)] ?? [];
    setImmediate(() => callback(null, answer.map(address)));
  };
};
const failing: Resolve = (_name, callback) =>
  setImmediate(() => callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []));

const guard = (extra: Partial<EgressRules> = {}): EgressGuard =>
  new EgressGuard({ allow: [], host: '0.0.0.0', resolve: failing, ...extra });

describe('assertUrlAllowed', () => {
  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://017700000001/',
    'http://127.1/',
    'http://127.0.0.1./',
    'http://0/',
    'http://0.0.0.0:8069/',
    'http://①②⑦.⓪.⓪.①/',
    'http://127。0。0。1/',
    'http://%31%32%37.0.0.1/',
    'https://10.0.0.1/',
    'http://192.168.1.1:8080/x',
    'http://169.254.169.254/latest/meta-data/',
    'http://[::1]/',
    'http://[::]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[2002:7f00:1::]/',
    'http://[fd00:ec2::254]/',
    'http://[fe80::1]/',
    'http://localhost/',
    'http://LOCALHOST:8069/',
    'http://localhost./',
    'http://localhost.localdomain/',
    'http://anything.localhost/',
    'http://metadata.google.internal/',
    'http://metadata.google.internal./',
    'http://instance-data/latest/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'gopher://example.com/',
    'javascript:alert(1)',
    'ws://example.com/',
    'http://user@example.com/',
    'http://user:pass@example.com/',
    'http://example.com@127.0.0.1/',
    'http://example.com:0/',
    'http://256.256.256.256/',
    'http://',
    'example.com',
    '/relative',
    '',
  ])('refuses %j', async (url) => {
    await expect(guard().assertUrlAllowed(url)).rejects.toMatchObject({ code: 'address_refused', status: 422 });
  });

  it.each(['http://example.com', 'https://example.com:8443/a?b=c', 'http://8.8.8.8/', 'https://[2606:4700:4700::1111]/'])(
    'lets %s pass',
    async (url) => {
      const { href } = await guard({ resolve: answering(['93.184.216.34']) }).assertUrlAllowed(url);
      expect(href).toBe(new URL(url).href);
    },
  );

  it.each([
    { title: 'only refused addresses', resolve: answering(['127.0.0.1', '::1']), refused: true },
    { title: 'a refused address beside an allowed one', resolve: answering(['127.0.0.1', '8.8.8.8']), refused: false },
    { title: 'no answer', resolve: failing, refused: false },
  ])('of a name with $title', async ({ resolve, refused }) => {
    const saved = guard({ resolve })
      .assertUrlAllowed('http://name.example/')
      .then(
        () => false,
        () => true,
      );
    expect(await saved).toBe(refused);
  });

  it('does not wait for ever for a name', async () => {
    await expect(guard({ resolve: () => undefined }).assertUrlAllowed('http://slow.example/')).resolves.toBeInstanceOf(URL);
  });
});

describe('what is open', () => {
  it.each([
    { allow: null, host: '127.0.0.1', open: true },
    { allow: null, host: '::1', open: true },
    { allow: null, host: 'localhost', open: true },
    { allow: null, host: '0.0.0.0', open: false },
    { allow: null, host: '::', open: false },
    { allow: null, host: '10.0.0.5', open: false },
    { allow: [], host: '127.0.0.1', open: false },
    { allow: ['10.0.0.0/8'], host: '127.0.0.1', open: false },
    { allow: ['127.0.0.0/8'], host: '0.0.0.0', open: true },
  ])('EGRESS_ALLOW $allow and HOST $host: loopback $open', ({ allow, host, open }) => {
    expect(guard({ allow, host }).isAllowed('127.0.0.1')).toBe(open);
    expect(guard({ allow, host }).isAllowed('192.168.0.1')).toBe(false);
  });
});

describe('a name of the metadata service', () => {
  it('is never asked for, whatever is open', async () => {
    let asked = 0;
    const used = guard({ allow: ['0.0.0.0/0'], resolve: (_name, callback) => (asked++, callback(null, [address('127.0.0.1')])) });
    await expect(used.assertUrlAllowed('http://metadata.google.internal/')).rejects.toMatchObject({ code: 'address_refused' });
    const error = await new Promise((resolve) => used.lookupWithin(1_000)('Metadata.Google.Internal.', { all: true }, resolve));
    expect(error).toMatchObject({ code: 'ERR_ADDRESS_REFUSED' });
    expect(asked).toBe(0);
  });
});

describe('keepsAnswersOf', () => {
  it.each([
    ['8.8.8.8', { allow: null, host: '127.0.0.1', isPublic: true }, true],
    ['127.0.0.1', { allow: null, host: '127.0.0.1', isPublic: true }, false],
    ['::ffff:127.0.0.1', { allow: null, host: '127.0.0.1', isPublic: true }, false],
    ['127.0.0.1', { allow: null, host: '127.0.0.1' }, true],
    ['10.0.0.1', { allow: ['10.0.0.0/8'], isPublic: true }, true],
    ['10.0.0.1', { allow: [] }, false],
  ])('%s with %j: %s', (from, rules, kept) => {
    expect(guard(rules).keepsAnswersOf(from)).toBe(kept);
  });
});

describe('connector', () => {
  let canary: Server;
  let connections = 0;
  let port: number;

  beforeEach(async () => {
    connections = 0;
    canary = createServer((socket) => {
      connections += 1;
      socket.end('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n');
    }).listen(0, '127.0.0.1');
    await once(canary, 'listening');
    port = (canary.address() as AddressInfo).port;
  });
  afterEach(() => {
    canary.close();
  });

  /** @returns The status, or the error's code. */
  const call = async (origin: string, used: EgressGuard, timeout = 5_000): Promise<number | string> => {
    const client = new Client(origin, { connect: used.connector({ timeout }) });
    try {
      return (await client.request({ path: '/', method: 'GET' })).statusCode;
    } catch (error) {
      return (error as { code: string }).code;
    } finally {
      await client.destroy();
    }
  };

  it('refuses a literal address without connecting', async () => {
    expect(await call(`http://127.0.0.1:${port}`, guard())).toBe('ERR_ADDRESS_REFUSED');
    expect(await call(`http://[::ffff:127.0.0.1]:${port}`, guard())).toBe('ERR_ADDRESS_REFUSED');
    expect(connections).toBe(0);
  });

  it('refuses a name that leads there, without connecting', async () => {
    for (const answer of [['127.0.0.1'], ['127.0.0.1', '169.254.169.254'], ['::ffff:127.0.0.1']]) {
      expect(await call(`http://name.example:${port}`, guard({ resolve: answering(answer) }))).toBe('ERR_ADDRESS_REFUSED');
    }
    expect(connections).toBe(0);
  });

  it('refuses a name that turns inwards after it was saved', async () => {
    const used = guard({ resolve: answering(['93.184.216.34'], ['127.0.0.1']) });
    await used.assertUrlAllowed(`http://flip.example:${port}`);
    expect(await call(`http://flip.example:${port}`, used)).toBe('ERR_ADDRESS_REFUSED');
    expect(connections).toBe(0);
  });

  it('connects to the address that was checked, though the name has turned meanwhile', async () => {
    const used = guard({ allow: ['127.0.0.1'], resolve: answering(['127.0.0.1'], ['127.0.0.2']) });
    expect(await call(`http://flip.example:${port}`, used)).toBe(204);
    expect(connections).toBe(1);
  });

  it('uses only the allowed addresses of a name', async () => {
    const used = guard({ allow: ['127.0.0.1'], resolve: answering(['127.0.0.2', '10.0.0.1', '127.0.0.1']) });
    expect(await call(`http://mixed.example:${port}`, used)).toBe(204);
    expect(connections).toBe(1);
  });

  it('asks for a name once, however many wait for it, and for others meanwhile', async () => {
    const asked: string[] = [];
    const answers: (() => void)[] = [];
    const used = guard({
      allow: ['127.0.0.1'],
      resolve: (name, callback) => (asked.push(name), answers.push(() => callback(null, [address('127.0.0.1')]))),
    });
    const calls = ['slow', 'slow', 'slow', 'other'].map((name) => call(`http://${name}.example:${port}`, used));
    await eventually('both are asked for', () => asked.includes('other.example'));
    for (const answer of answers.splice(0)) answer();
    expect(await Promise.all(calls)).toEqual([204, 204, 204, 204]);
    expect(asked).toEqual(['slow.example', 'other.example']);
    const later = call(`http://slow.example:${port}`, used);
    await eventually('it is asked for anew', () => answers.length > 0);
    answers[0]?.();
    expect(await later).toBe(204);
  });

  it('blames the resolver, not the receiver, when no answer comes', async () => {
    const error = await call(`http://slow.example:${port}`, guard({ resolve: () => undefined }), 1_000);
    expect(failureCodeOf({ code: error })).toBe('dns_unavailable');
  });

  it('connects to a literal that is opened', async () => {
    expect(await call(`http://127.0.0.1:${port}`, guard({ allow: ['127.0.0.0/8'] }))).toBe(204);
  });
});
