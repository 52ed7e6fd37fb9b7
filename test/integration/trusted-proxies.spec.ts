import { ConfigError, loadConfig } from '../../src/config/load-config';
import { trustIn } from '../../src/http/trusted-proxies';
import { AUTOMATE_SECRET, otpOf, wrongOtp } from '../support/otp-service';
import { eventually } from '../support/eventually';
import { RestApp } from './rest-app';
import { type ShellApp, startShellApp } from './shell-app';

const CLIENT = '203.0.113.7';

/** These tests call from 127.0.0.1. */
describe.each([
  { proxies: '', knows: false },
  { proxies: '10.0.0.0/8,fd00::/8', knows: false },
  { proxies: '127.0.0.1', knows: true },
  { proxies: '10.0.0.0/8,127.0.0.0/8', knows: true },
])('with http.trustedProxies "$proxies"', ({ proxies, knows }) => {
  let shell: ShellApp;

  beforeAll(async () => {
    shell = await startShellApp({ HTTP_TRUSTED_PROXIES: proxies });
  });
  afterAll(() => shell?.close());

  it.each([
    { forwarded: undefined, address: '127.0.0.1' },
    { forwarded: CLIENT, address: CLIENT },
    { forwarded: `192.0.2.1, ${CLIENT}`, address: CLIENT },
    { forwarded: `192.0.2.1, ${CLIENT}, 127.0.0.1`, address: CLIENT },
    { forwarded: '2001:db8::7', address: '2001:db8::7' },
  ])('X-Forwarded-For $forwarded is heard only of a trusted proxy', async ({ forwarded, address }) => {
    const answer = await fetch(`${shell.url}/who`, { headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } });
    const expected = knows && !(proxies === '127.0.0.1' && address === '127.0.0.1') ? address : '127.0.0.1';
    expect(await answer.json()).toEqual({ address: expected, viaProxy: knows });
  });
});

it('an IPv4 proxy is known on a socket for both families', () => {
  const isTrusted = trustIn(['10.0.0.0/8', 'fd00::1']);
  expect(['10.1.2.3', '::ffff:10.1.2.3', 'fd00::1'].map((address) => isTrusted?.(address))).toEqual([true, true, true]);
  expect(['11.1.2.3', '::ffff:11.1.2.3', '::10.1.2.3', 'fd00::2', '', 'x', undefined].map((address) => isTrusted?.(address))).toEqual(
    Array(7).fill(false),
  );
});

it.each(['everyone', '10.0.0.1/8', '10.0.0.0/33', 'loopback'])('%s is no network', (proxies) => {
  expect(() => loadConfig({ HTTP_TRUSTED_PROXIES: proxies })).toThrow(ConfigError);
});

describe.each([
  { proxies: '127.0.0.1', isHeard: true },
  { proxies: '', isHeard: false },
])('one-time passwords and refused requests with http.trustedProxies "$proxies"', ({ proxies, isHeard }) => {
  let app: RestApp;

  beforeAll(async () => {
    app = await RestApp.start('sqlite', { HTTP_TRUSTED_PROXIES: proxies, HOOK_SERVER_AUTOMATE_OTP_SECRET: AUTOMATE_SECRET });
  });
  afterAll(() => app?.close());

  it('go by the client that the proxy names, or by the peer', async () => {
    const post = async (otp: string, address: string): Promise<string> => {
      const headers = { 'x-otp': otp, 'x-forwarded-for': address };
      const answer = await app.call('POST', '/automate', { threadId: 'facebook:1:1' }, { key: null, headers });
      return answer.status === 202 ? 'accepted' : answer.body.code;
    };
    for (let last = 1; last <= 5; last++) expect(await post(wrongOtp(AUTOMATE_SECRET), CLIENT)).toBe('otp_invalid');
    expect(await post(otpOf(AUTOMATE_SECRET), CLIENT)).toBe('otp_locked');
    expect(await post(otpOf(AUTOMATE_SECRET), '203.0.113.8')).toBe(isHeard ? 'accepted' : 'otp_locked');

    const listed = async (): Promise<{ address: string }[]> =>
      (await app.must(200, 'GET', '/api/v1/requests?outcome=rejected')).data as { address: string }[];
    const refused = await eventually('the refusals', async () => {
      const rows = await listed();
      return rows.length >= (isHeard ? 6 : 7) && rows;
    });
    expect(new Set(refused.map(({ address }) => address))).toEqual(new Set([isHeard ? CLIENT : '127.0.0.1']));
  });
});
