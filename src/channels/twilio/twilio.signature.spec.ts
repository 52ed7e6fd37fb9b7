import { createHash, createHmac } from 'node:crypto';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import type { ServerConfig } from '../../config/app.config';
import { GatewayError } from '../../core/errors';
import type { TwilioConfig } from './twilio.config';
import { Form } from '../../presets/request/form';
import { TwilioSignature } from './twilio.signature';

const ORIGIN = 'https://gw.example.com';
const MAIN = 'the-token-of-the-main-account';
const SUBACCOUNT = 'AC11111111111111111111111111111111';
const OTHER = 'AC22222222222222222222222222222222';

const signatureOf = (authToken: string[], publicUrl: string | null = ORIGIN): TwilioSignature =>
  new TwilioSignature({ authToken } as unknown as TwilioConfig, { publicUrl } as ServerConfig);

const sign = (token: string, target: string, parameters: Record<string, string | string[]> = {}): string =>
  getExpectedTwilioSignature(token, ORIGIN + target, parameters);

/** What came of it: the signer, or the code and the message of the refusal. */
function outcomeOf(work: () => string | undefined): string | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof GatewayError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

const INVALID = expect.stringMatching(/^signature_invalid: X-Twilio-Signature fits neither/);

describe('of a form', () => {
  const check = (tokens: string[], text: string, header: string | undefined, target = '/twilio'): string | undefined =>
    outcomeOf(() => signatureOf(tokens).assertForm(target, Form.parse(text), header));

  it('holds by any token for all accounts, whoever the form speaks of', () => {
    expect(check(['old', MAIN], 'AccountSid=ACx&Body=a', sign(MAIN, '/twilio', { AccountSid: 'ACx', Body: 'a' }))).toBeUndefined();
    expect(check([MAIN], 'Body=a', sign(MAIN, '/twilio', { Body: 'a' }))).toBeUndefined();
  });

  it('holds by the token of the account that the form speaks of, and says so', () => {
    const tokens = [`${SUBACCOUNT}:first`, `${OTHER}:second`, `${OTHER}:third`];
    for (const [account, token] of tokens.map((entry) => entry.split(':') as [string, string])) {
      expect(check(tokens, `AccountSid=${account}`, sign(token, '/twilio', { AccountSid: account }))).toBe(account);
    }
  });

  it('does not hold by the token of another account, which may be another customer’s', () => {
    const tokens = [`${SUBACCOUNT}:first`, `${OTHER}:second`];
    expect(check(tokens, `AccountSid=${SUBACCOUNT}`, sign('second', '/twilio', { AccountSid: SUBACCOUNT }))).toEqual(INVALID);
    const doubled = { AccountSid: [OTHER, SUBACCOUNT] };
    const text = `AccountSid=${SUBACCOUNT}&AccountSid=${OTHER}`;
    expect(check(tokens, text, sign('second', '/twilio', doubled))).toEqual(INVALID);
  });

  it.each(['AccountSid=AC3', 'Body=a', ''])('cannot be checked where there is no token for its account: %j', (text) => {
    expect(check([`${SUBACCOUNT}:first`], text, sign('first', '/twilio'))).toBe(
      'signature_invalid: There is no auth token for the AccountSid of the request',
    );
  });

  it.each([
    [undefined, 'signature_missing: There is no X-Twilio-Signature'],
    ['', 'signature_missing: There is no X-Twilio-Signature'],
    ['a', 'signature_invalid: X-Twilio-Signature is not 20 bytes in base64'],
    ['ä'.repeat(28), 'signature_invalid: X-Twilio-Signature is not 20 bytes in base64'],
    [`${'A'.repeat(27)}=`, INVALID],
  ])('%j is refused', (header, outcome) => {
    expect(check([MAIN], 'Body=a', header)).toEqual(outcome);
  });

  it('does not hold with anything added, left out, or taken to another path', () => {
    const header = sign(MAIN, '/twilio?a=1', { Body: 'a', To: '' });
    expect(check([MAIN], 'To=&Body=a', header, '/twilio?a=1')).toBeUndefined();
    for (const text of ['To=&Body=a&X=1', 'Body=a', 'To=&Body=b', 'to=&Body=a', 'To=&Body=a+'])
      expect(check([MAIN], text, header, '/twilio?a=1')).toEqual(INVALID);
    for (const target of ['/twilio', '/twilio?a=2', '/twilio/status?a=1'])
      expect(check([MAIN], 'To=&Body=a', header, target)).toEqual(INVALID);
  });

  it('agrees with Twilio’s SDK on forms of any shape', () => {
    const alphabet = ['a', 'B', 'Z', '1', '+', '%', '&', '=', ' ', 'é', '😀', '_', '-', "'", '"', '\n', ''];
    let seed = 42;
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    const text = (): string => Array.from({ length: random(6) }, () => alphabet[random(alphabet.length)]).join('');
    for (let round = 0; round < 300; round++) {
      const parameters = Object.create(null) as Record<string, string | string[]>;
      for (let count = random(8); count > 0; count--) parameters[text()] = random(4) === 0 ? [text(), text(), text()] : text();
      const pairs = Object.entries(parameters).flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, one]));
      const target = `/twilio?${new URLSearchParams({ [text()]: text() }).toString()}`;
      expect(check([MAIN], new URLSearchParams(pairs).toString(), sign(MAIN, target, parameters), target)).toBeUndefined();
    }
  });
});

describe('of a GET', () => {
  it('is over the URL alone, and holds by the account’s own token only', () => {
    const target = `/twilio?AccountSid=${SUBACCOUNT}&Body=a+b`;
    const form = Form.parse(target.slice(target.indexOf('?') + 1));
    const tokens = [`${SUBACCOUNT}:first`, `${OTHER}:second`];
    const check = (token: string) => outcomeOf(() => signatureOf(tokens).assertQuery(target, form, sign(token, target)));
    expect(check('first')).toBe(SUBACCOUNT);
    expect(check('second')).toEqual(INVALID);
  });

  it.each(["/twilio?Body=It's+%C3%A4", '/twilio?Body=%27a%27&To=%2B1'])(
    'holds in the forms that some of Twilio’s servers sign: %s',
    (target) => {
      const normalised = new URL(ORIGIN + target).href.slice(ORIGIN.length);
      const escaped = "/twilio?Body=It's%20%C3%A4";
      const headers = [sign(MAIN, normalised), ...(target.includes('It') ? [sign(MAIN, escaped)] : [])];
      for (const header of headers)
        expect(outcomeOf(() => signatureOf([MAIN]).assertQuery(target, Form.parse(''), header))).toBeUndefined();
    },
  );
});

describe('of JSON', () => {
  const body = Buffer.from('[{"id":"EZ1"}]');
  const hash = createHash('sha256').update(body).digest('hex');
  const check = (target: string, sent = body, token = MAIN): string | undefined =>
    outcomeOf(() => signatureOf([MAIN, `${SUBACCOUNT}:first`]).assertJson(target, sent, sign(token, target)));

  it('is over the URL and the hash in it, by whichever token', () => {
    expect(check(`/twilio/events?bodySHA256=${hash}`)).toBeUndefined();
    expect(check(`/twilio/events?tenant=a?b&bodySHA256=${hash}`, body, 'first')).toBe(SUBACCOUNT);
  });

  it.each([
    ['without a hash', '/twilio/events'],
    ['with an empty hash', '/twilio/events?bodySHA256='],
    ['with a hash in capitals', `/twilio/events?bodySHA256=${hash.toUpperCase()}`],
    ['with a longer hash', `/twilio/events?bodySHA256=${hash}00`],
    ['with the hash under another name', `/twilio/events?bodysha256=${hash}`],
  ])('is refused %s', (_what, target) => {
    expect(check(target)).toBe('signature_invalid: The URL of a JSON request must have bodySHA256, 64 hex digits');
  });

  it('is refused for any other body, also where the right hash comes second', () => {
    expect(check(`/twilio/events?bodySHA256=${hash}`, Buffer.from('[{"id":"EZ2"}]'))).toBe(
      'signature_invalid: bodySHA256 does not match the body',
    );
    const other = createHash('sha256').update('other').digest('hex');
    expect(check(`/twilio/events?bodySHA256=${other}&bodySHA256=${hash}`)).toBe('signature_invalid: bodySHA256 does not match the body');
  });

  it('is refused when the URL was not signed, whatever hash it has', () => {
    const header = createHmac('sha1', MAIN).update(`${ORIGIN}/twilio/events`).digest('base64');
    expect(outcomeOf(() => signatureOf([MAIN]).assertJson(`/twilio/events?bodySHA256=${hash}`, body, header))).toEqual(INVALID);
  });
});

it('cannot be checked without a token or the public URL', () => {
  const missing = (signature: TwilioSignature) => outcomeOf(() => signature.assertForm('/twilio', Form.parse('a=1'), 'a'));
  expect(missing(signatureOf([]))).toBe('channel_not_configured: hookServer.twilio.authToken is not set');
  expect(missing(signatureOf([MAIN], null))).toBe('channel_not_configured: hookServer.publicUrl is not set');
});
