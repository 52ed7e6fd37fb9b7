import { createHmac } from 'node:crypto';
import type { SourceCheck } from '../../http/door';
import type { ReceivedRequest } from '../../http/received-request';
import { findPreset } from '../../presets/presets';
import { diagnose } from './diagnose';
import type { Finding } from './trial';

const SECRET = 'a-secret-of-the-source';
const OTHER = 'the-secret-of-another';
const SENT = '{"name":"Zoë","url":"https://example.com/a"}';
const PUBLIC_URL = 'https://gw.example.com';
const NOW = Date.parse('2026-01-01T00:00:00Z');

type Sign = (body: string) => string;

const hex = (body: string, secret: string | Buffer = SECRET): string => createHmac('sha256', secret).update(body).digest('hex');

const checkOf = (type: string, settings: Record<string, unknown> = {}, more: Partial<SourceCheck> = {}): SourceCheck => ({
  source: 'in:1',
  title: 'the source "one"',
  preset: findPreset(type)!,
  settings: { secrets: [SECRET], ...settings },
  context: { publicUrl: PUBLIC_URL },
  secretSetting: 'verification.secrets',
  ...more,
});

const others = [checkOf('hmac', { secrets: [OTHER], header: 'x-a' }, { title: 'the source "two"' })];

async function findingsOf(check: SourceCheck, request: Omit<Partial<ReceivedRequest>, 'body'> & { body?: string }): Promise<Finding[]> {
  const whole: ReceivedRequest = {
    requestId: 'r',
    receivedAt: NOW,
    route: '/in/:token',
    method: 'POST',
    target: '/in/x',
    headers: {},
    address: '',
    viaProxy: false,
    ...request,
    body: Buffer.from(request.body ?? SENT),
  };
  const { findings } = await diagnose({ request: whole, check, others });
  // Nothing of what is claimed is secret.
  expect(JSON.stringify(findings.map(({ repair: _, ...told }) => told))).not.toMatch(/a-secret-of-|the-secret-of-/);
  return findings;
}

const causesOf = async (...args: Parameters<typeof findingsOf>): Promise<string[]> =>
  (await findingsOf(...args)).map(({ cause, repair }) => (repair === undefined ? cause : `${cause}, acceptable`));

describe('a signature of the body', () => {
  const github = (signature: string, settings: Record<string, unknown> = {}, more: Partial<SourceCheck> = {}): Promise<string[]> =>
    causesOf(checkOf('github', settings, more), { headers: { 'x-hub-signature-256': signature } });

  it.each<[string, Sign, string[]]>([
    ['nothing', (body) => hex(body), ['mended, acceptable']],
    ['something else', () => hex('something else'), ['secret_unknown']],
    ['a line break at the end of their secret', (body) => hex(body, `${SECRET}\n`), ['secret_whitespace']],
    ['a prefix that is missing here', (body) => hex(body, `whsec_${SECRET}`), ['secret_prefix']],
    ['a key that is the base64 of the secret', (body) => hex(body, Buffer.from(SECRET, 'base64')), ['secret_encoding']],
    ['hex with capitals', (body) => hex(body).toUpperCase(), ['signature_encoding, acceptable']],
    ['another source’s secret, of another preset', (body) => hex(body, OTHER), ['other_source_secret']],
    ['indented JSON', (body) => hex(JSON.stringify(JSON.parse(body), null, 2)), ['body_reserialised, acceptable']],
    ['JSON with tabs', (body) => hex(JSON.stringify(JSON.parse(body), null, '\t')), ['body_reserialised, acceptable']],
    ['escaped JSON', (body) => hex(body.replace('ë', '\\u00eb').replaceAll('/', '\\/')), ['body_reserialised, acceptable']],
    ['JSON with spaces', () => hex('{"name": "Zoë", "url": "https://example.com/a"}'), ['body_reserialised, acceptable']],
    ['a lost line feed', (body) => hex(`${body}\n`), ['body_reserialised, acceptable']],
    ['a lost byte order mark', (body) => hex(`\ufeff${body}`), ['body_reserialised, acceptable']],
  ])('with %s', async (_what, sign, causes) => {
    expect(await github(`sha256=${sign(SENT)}`)).toEqual(causes);
  });

  it.each<[string, string, string]>([
    ['base64 for hex', `sha256=${createHmac('sha256', SECRET).update(SENT).digest('base64')}`, 'signature_encoding'],
    ['base64url without its prefix', createHmac('sha256', SECRET).update(SENT).digest('base64url'), 'signature_encoding'],
    ['no prefix', hex(SENT), 'signature_encoding'],
    ['another hash', `sha256=${createHmac('sha512', SECRET).update(SENT).digest('hex')}`, 'signature_algorithm'],
  ])('in another form: %s', async (_what, signature, cause) => {
    expect(await github(signature)).toEqual([cause]);
  });

  it.each<[string, string, string]>([
    ['white space around our secret', ` ${SECRET}\n`, 'secret_whitespace'],
    ['a prefix that is kept here', `whsec_${SECRET}`, 'secret_prefix'],
  ])('with %s', async (_what, ours, cause) => {
    expect(await github(`sha256=${hex(SENT)}`, { secrets: ['another', ours] })).toEqual([cause]);
  });

  it('with a secret that counted once', async () => {
    expect(await github(`sha256=${hex(SENT, 'a-secret-of-then')}`, {}, { oldSecrets: ['a-secret-of-then'] })).toEqual(['old_secret']);
  });

  it.each<[string, string, string]>([
    ['zeros', '{"price":1.50}', '{ "price": 1.50 }'],
    ['more digits than a double has, over lines', '{"id":12345678901234567890,"a":[]}', '{\n  "id": 12345678901234567890,\n  "a": []\n}'],
    ['zeros, of which the sender’s text had none', '{"price":1.5}', '{ "price": 1.50 }'],
  ])('of JSON whose layout alone changed, with a number with %s', async (_what, sent, body) => {
    const signature = `sha256=${hex(sent)}`;
    const findings = await findingsOf(checkOf('github'), { headers: { 'x-hub-signature-256': signature }, body });
    expect(findings).toMatchObject([{ cause: 'body_reserialised', repair: { body: Buffer.from(sent) } }]);
    expect(findings[0]?.fix).toContain('{"cause": "body_reserialised"}');
    const indented = { headers: { 'x-hub-signature-256': `sha256=${hex(body)}` }, body: sent };
    if (body.includes('\n')) expect(await causesOf(checkOf('github'), indented)).toEqual(['body_reserialised, acceptable']);
  });

  it('says where a secret is set that none of the known mistakes explains', async () => {
    const [finding] = await findingsOf(checkOf('github'), { headers: { 'x-hub-signature-256': `sha256=${hex('x')}` } });
    expect(finding).toMatchObject({ cause: 'secret_unknown', certain: false, setting: 'verification.secrets' });
    expect(finding?.fix).toContain('verification.secrets of the source "one"');
    const bearer = checkOf('bearer');
    expect(await causesOf(bearer, { headers: { authorization: 'Bearer x' } })).toEqual(['secret_unknown']);
    expect(await causesOf(checkOf('ip', { secrets: [], allow: ['192.0.2.0/24'] }), { address: '198.51.100.1' })).toEqual([]);
  });

  it('speaks of settings only that the source has', async () => {
    const headers = { 'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(SENT).digest('base64')}` };
    const [ofPreset] = await findingsOf(checkOf('github'), { headers });
    expect(ofPreset?.fix).toContain('set verification.type of the source "one" to `hmac` with `encoding` `base64`');
    const channel = { source: 'facebook', title: 'the channel facebook', secretSetting: 'hookServer.facebook.appSecret' };
    const [ofChannel] = await findingsOf(checkOf('meta', {}, channel), { headers });
    expect(ofChannel?.fix).not.toContain('verification.');
    const form = { header: 'x-a', algorithm: 'sha256', encoding: 'hex', keyForm: 'utf8', template: '{body}' };
    const [ofKey] = await findingsOf(checkOf('hmac', form), { headers: { 'x-a': hex(SENT, Buffer.from(SECRET, 'base64')) } });
    expect(ofKey).toMatchObject({ setting: 'verification.keyForm', fix: 'Set verification.keyForm of the source "one" to `base64`' });
  });

  it('says which setting is to be changed where the source has one', async () => {
    const check = checkOf('hmac', { header: 'x-a', algorithm: 'sha256', encoding: 'base64', keyForm: 'utf8', template: '{body}' });
    expect(await findingsOf(check, { headers: { 'x-a': hex(SENT) } })).toMatchObject([
      {
        ...{ cause: 'signature_encoding', setting: 'verification.encoding', certain: true },
        fix: 'Set verification.encoding of the source "one" to `hex`',
      },
    ]);
  });

  it('says how a prefix is taken away', async () => {
    const check = checkOf('hmac', {
      header: 'x-a',
      algorithm: 'sha256',
      encoding: 'hex',
      keyForm: 'utf8',
      template: '{body}',
      prefix: 'v1=',
    });
    expect(await findingsOf(check, { headers: { 'x-a': hex(SENT) } })).toMatchObject([
      { setting: 'verification.prefix', fix: 'Set verification.prefix of the source "one" to `null`' },
    ]);
  });

  it('of which there is none, or another platform’s', async () => {
    expect(await findingsOf(checkOf('github'), {})).toMatchObject([{ cause: 'signature_absent', certain: true }]);
    const findings = await findingsOf(checkOf('github'), { headers: { 'stripe-signature': 't=1,v1=x' } });
    expect(findings).toMatchObject([
      { cause: 'wrong_preset', certain: false, fix: expect.stringContaining('to `stripe`, with its secret') },
    ]);
  });

  it.each<[string, Record<string, string>, string]>([
    ['one of those that share a header, by its other headers', { 'x-github-event': 'push' }, 'to `github`'],
    ['all that share a header, where nothing tells them apart', {}, 'to the one that sends it (`meta` or `github`)'],
  ])('names %s', async (_what, more, fix) => {
    const headers = { 'x-hub-signature-256': 'sha256=x', 'user-agent': 'GitHub-Hookshot/1', ...more };
    const findings = await findingsOf(checkOf('slack', { toleranceSeconds: 300 }), { headers });
    expect(findings).toMatchObject([{ cause: 'wrong_preset', fix: expect.stringContaining(fix), setting: 'verification.type' }]);
  });
});

describe('Standard Webhooks', () => {
  const KEY = Buffer.alloc(24, 7);
  const headersAt = (seconds: number, key: string | Buffer = KEY): Record<string, string> => ({
    'webhook-id': 'm1',
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${createHmac('sha256', key)
      .update(`m1.${String(seconds)}.${SENT}`)
      .digest('base64')}`,
  });
  const check = checkOf('standard-webhooks', { secrets: [`whsec_${KEY.toString('base64')}`], toleranceSeconds: 300 });

  it('signed at another time than it came', async () => {
    const seconds = NOW / 1_000 - 3_600;
    const [finding] = await findingsOf(check, { headers: headersAt(seconds) });
    expect(finding).toMatchObject({ cause: 'clock_skew', explanation: expect.stringContaining('3600 s before'), certain: true });
    expect(finding?.repair).toEqual({ receivedAt: seconds * 1_000 });
    expect(finding?.fix).toContain('{"cause": "clock_skew"}');
    expect(await causesOf(check, { headers: headersAt(NOW / 1_000 + 400) })).toEqual(['clock_skew, acceptable']);
    // As the refusal counts: by whole seconds.
    const [late] = await findingsOf(check, { headers: headersAt(seconds), receivedAt: NOW + 900 });
    expect(late?.explanation).toContain(' 3600 s before');
  });

  it.each<[string, string]>([
    ['prefix and all', `whsec_${KEY.toString('base64')}`],
    ['after the prefix', KEY.toString('base64')],
  ])('with the characters of the secret for a key, %s', async (_what, key) => {
    expect(await causesOf(check, { headers: headersAt(NOW / 1_000, key) })).toEqual(['secret_prefix']);
  });

  it('claims no time for a signature that does not hold', async () => {
    expect(await causesOf(check, { headers: headersAt(NOW / 1_000 - 3_600, 'x') })).toEqual(['secret_unknown']);
  });
});
