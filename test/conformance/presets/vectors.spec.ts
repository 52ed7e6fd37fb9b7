import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '../../../src/core/errors';
import type { Preset, PresetContext, PresetSettings, SignedRequest } from '../../../src/presets/preset';
import { readVerification } from '../../../src/presets/verification';

interface Vector {
  id: string;
  scheme: string;
  secret: string;
  publicKey?: string;
  /** Unix seconds. */
  now?: number;
  url: string;
  method: string;
  headers: Record<string, string>;
  rawBodyBase64: string;
  valid: boolean;
  expected?: { status: number; body?: string; json?: unknown; contentType?: string };
  candidateResponseToken?: string;
  note: string;
}

const { cases } = JSON.parse(readFileSync(join(__dirname, '../../fixtures/presets/vectors.json'), 'utf8')) as { cases: Vector[] };

const TYPES: Readonly<Record<string, string>> = {
  'meta-x-hub-signature-256': 'meta',
  'meta-verify-handshake': 'meta',
  'x-crc': 'twitter',
  'x-twitter-webhooks-signature': 'twitter',
  'twilio-form': 'twilio',
  'twilio-json': 'twilio',
  'webex-x-spark-signature': 'webex',
  'standard-webhooks-v1': 'standard-webhooks',
  'standard-webhooks-v1a': 'standard-webhooks',
  'github-x-hub-signature-256': 'github',
  'stripe-signature-v1': 'stripe',
  'shopify-hmac-sha256': 'shopify',
  'slack-v0': 'slack',
  'gitlab-token': 'gitlab',
  'gitlab-signing-token': 'gitlab',
};
const HANDSHAKES: ReadonlySet<string> = new Set(['meta-verify-handshake', 'x-crc']);

/** Of each preset another secret that it takes. */
const otherSecret = (secret: string): string =>
  /^wh(sec|pk)_/.test(secret) ? `whsec_${Buffer.alloc(32, 7).toString('base64')}` : 'another';

interface Case {
  preset: Preset;
  settings: PresetSettings;
  context: PresetContext;
  request: SignedRequest;
  nowMs: number;
}

function caseOf(vector: Vector, secretsOf = (secret: string): string[] => [secret]): Case {
  const secret = vector.publicKey ?? vector.secret;
  const type = TYPES[vector.scheme]!;
  const read = readVerification({
    type,
    secrets: secretsOf(secret),
    ...(HANDSHAKES.has(vector.scheme) && type === 'meta' && { verifyToken: secret }),
  });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const { origin } = new URL(vector.url);
  const publicUrl = vector.url.slice(0, vector.url.indexOf('/', 'https://'.length));
  const target = vector.url.slice(publicUrl.length).replace(/#.*$/, '');
  const body = Buffer.from(vector.rawBodyBase64, 'base64');
  const request = { method: vector.method, target, headers: vector.headers, body, address: '192.0.2.1', viaProxy: false };
  return { ...read, context: { publicUrl: publicUrl || origin }, request, nowMs: (vector.now ?? 1_700_000_000) * 1_000 };
}

function codeOf({ preset, settings, context, nowMs }: Case, request: SignedRequest): string {
  try {
    preset.verifier(settings, context).assertValid(request, nowMs);
    return 'accepted';
  } catch (error) {
    if (error instanceof GatewayError) return error.code;
    throw error;
  }
}

const signed = cases.filter(({ scheme }) => !HANDSHAKES.has(scheme));
const good = signed.filter(({ valid }) => valid);
/** Headers of what is signed; of GitLab's token also what proves it. */
const PROOFS = /signature|hmac|token$|-timestamp|^(webhook|svix)-id/;
const proofsOf = (vector: Vector): string[] =>
  Object.keys(vector.headers).filter((name) => PROOFS.test(name) && name !== 'i-twilio-idempotency-token');

it('covers every scheme', () => {
  expect(new Set(cases.map(({ scheme }) => scheme))).toEqual(new Set(Object.keys(TYPES)));
});

it.each(signed)('$id ($scheme): $note', (vector) => {
  const known = caseOf(vector);
  const code = codeOf(known, known.request);
  if (vector.valid) expect(code).toBe('accepted');
  else expect(['signature_missing', 'signature_invalid', 'signature_expired']).toContain(code);
});

it.each(cases.filter(({ scheme }) => HANDSHAKES.has(scheme)))('$id ($scheme): $note', (vector) => {
  const { preset, settings, request } = caseOf(vector);
  const answer = (): unknown => preset.handshake!.answer(request, settings);
  const { status, body, json } = vector.expected!;
  if (status !== 200) {
    expect(answer).toThrow(expect.objectContaining({ status }));
    return;
  }
  const given = preset.handshake!.answer(request, settings)!;
  expect(given.status).toBe(200);
  if (body !== undefined) expect(given).toMatchObject({ body, contentType: expect.stringMatching(/^text\/plain/) });
  if (json !== undefined) expect(JSON.parse(given.body)).toEqual(json);
  if (vector.candidateResponseToken !== undefined) {
    expect(given.body.includes(`"${vector.candidateResponseToken}"`)).toBe(vector.valid);
  }
});

describe.each(good)('what is like $id ($scheme)', (vector) => {
  const known = caseOf(vector);
  const refusal = expect.stringMatching(/^signature_/);

  it('is accepted by either of two secrets, refused by others', () => {
    const both = [(secret: string) => [otherSecret(secret), secret], (secret: string) => [secret, otherSecret(secret)]];
    for (const order of both) expect(codeOf(caseOf(vector, order), known.request)).toBe('accepted');
    expect(
      codeOf(
        caseOf(vector, (secret) => [otherSecret(secret)]),
        known.request,
      ),
    ).toEqual(refusal);
  });

  it('is refused without each of its proofs, or with an empty one', () => {
    for (const name of proofsOf(vector)) {
      const headers = { ...known.request.headers };
      delete headers[name];
      expect([name, codeOf(known, { ...known.request, headers })]).toEqual([name, 'signature_missing']);
      headers[name] = '';
      expect([name, codeOf(known, { ...known.request, headers })]).toEqual([name, 'signature_missing']);
    }
  });

  it('is refused with a byte of the body changed', () => {
    const { body } = known.request;
    if (body.length === 0 || vector.scheme === 'gitlab-token') return;
    for (const at of [0, body.length >> 1, body.length - 1]) {
      const changed = Buffer.from(body);
      changed[at] = changed[at]! ^ 1;
      expect(codeOf(known, { ...known.request, body: changed })).not.toBe('accepted');
    }
  });

  it('is refused with any character of its signature changed', () => {
    const name = proofsOf(vector).find((one) => /signature|hmac|token$/.test(one))!;
    const text = vector.headers[name]!;
    const first = text.lastIndexOf('v1,') === -1 ? 0 : text.lastIndexOf('v1,');
    for (let at = first; at < text.length; at++) {
      for (const character of [
        text[at] === 'A' ? 'B' : 'A',
        text[at] === '0' ? '1' : '0',
        String.fromCharCode(text.charCodeAt(at) ^ 1),
        'é',
        ' ',
      ]) {
        if (character === text[at]) continue;
        const headers = { ...known.request.headers, [name]: text.slice(0, at) + character + text.slice(at + 1) };
        if (codeOf(known, { ...known.request, headers }) === 'accepted') {
          // Another of several signatures, or what is before the one that counts, may be anything.
          expect([vector.id, at, character]).toEqual([expect.stringMatching(/^(stripe-123|sw-091)$/), at, character]);
        }
      }
    }
  });

  it('is judged, never failed at, whatever the headers are', () => {
    let seed = 1;
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    const names = proofsOf(vector);
    const parts = [
      '',
      ',',
      ' ',
      '=',
      'v1,',
      'v1=',
      't=',
      'sha256=',
      '\0',
      'é',
      '😀',
      '9'.repeat(400),
      'A'.repeat(5_000),
      '%',
      '.',
      'NaN',
      '-1',
      '1e9',
    ];
    for (let round = 0; round < 1_000; round++) {
      const name = names[random(names.length)]!;
      const text = vector.headers[name]!;
      const at = random(text.length + 1);
      const headers = { ...known.request.headers, [name]: text.slice(0, at) + parts[random(parts.length)]! + text.slice(at + random(4)) };
      codeOf(known, { ...known.request, headers });
    }
  });

  it('is refused when a header is endless', () => {
    for (const name of proofsOf(vector)) {
      const headers = { ...known.request.headers, [name]: `${vector.headers[name]!}${' '.repeat(5_000)}` };
      expect(codeOf(known, { ...known.request, headers })).toEqual(refusal);
    }
  });
});

it.each(good.filter(({ now }) => now !== undefined))('$id ($scheme) counts for 300 s before and after', (vector) => {
  const known = caseOf(vector);
  const timestamp = Number(
    /(\d{10})/.exec(
      vector.headers['stripe-signature'] ?? Object.entries(vector.headers).find(([name]) => name.endsWith('-timestamp'))![1],
    )![1],
  );
  for (const [offset, code] of [
    [-301, 'signature_expired'],
    [-300, 'accepted'],
    [300, 'accepted'],
    [301, 'signature_expired'],
  ] as const) {
    expect([offset, codeOf({ ...known, nowMs: (timestamp + offset) * 1_000 }, known.request)]).toEqual([offset, code]);
  }
});
