import { createHmac } from 'node:crypto';
import type { SourceCheck } from '../../http/door';
import { github } from '../../presets/github';
import { diagnose } from './diagnose';

const SECRET = 'a-secret-of-the-source';
const SENT = '{"name":"Zoë","url":"https://example.com/a"}';

const check = (source: string, secret: string): SourceCheck => ({
  source,
  title: source,
  preset: github,
  settings: { secrets: [secret] },
  context: { publicUrl: null },
  secretSetting: 'secrets',
});

const causesOf = async (signed: string): Promise<string[]> => {
  const signature = `sha256=${createHmac('sha256', SECRET).update(signed).digest('hex')}`;
  const request = {
    requestId: 'r',
    receivedAt: 1,
    route: '/in/:token',
    method: 'POST',
    target: '/in/x',
    headers: { 'x-hub-signature-256': signature },
    body: Buffer.from(SENT),
    address: '',
    viaProxy: false,
  };
  const { findings } = await diagnose({ request, check: check('in:1', SECRET), others: [check('in:2', 'another')] });
  return findings.map(({ cause }) => cause);
};

it.each([
  ['as it came', SENT, ['mended']],
  ['indented JSON', JSON.stringify(JSON.parse(SENT), null, 2), ['body_reserialised']],
  ['escaped JSON', SENT.replace('ë', '\\u00eb').replaceAll('/', '\\/'), ['body_reserialised']],
  ['JSON with spaces', '{"name": "Zoë", "url": "https://example.com/a"}', ['body_reserialised']],
  ['with a line feed', `${SENT}\n`, ['body_reserialised']],
  ['something else', 'something else', []],
])('finds what was signed: %s', async (_what, signed, causes) => {
  await expect(causesOf(signed)).resolves.toEqual(causes);
});
