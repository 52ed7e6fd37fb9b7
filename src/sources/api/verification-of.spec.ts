import type { GatewayError } from '../../core/errors';
import { PRESETS } from '../../presets/presets';
import { verificationOf, withSecret } from './verification-of';

const problemsOf = (work: () => unknown): unknown => {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as GatewayError).problems?.map(({ path }) => path) ?? (error as GatewayError).code;
  }
};

/** What else some types need. */
const MORE: Readonly<Record<string, object>> = {
  hmac: { header: 'x-signature' },
  basic: { user: 'u' },
  'api-key': { header: 'x-key' },
};

const generating = PRESETS.filter(({ fields }) => fields['secrets']?.generate !== undefined).map(({ type }) => type);

it('chooses secrets where the sender’s side lets its user choose', () => {
  expect(generating).toEqual(['webex', 'standard-webhooks', 'github', 'gitlab', 'hmac', 'basic', 'bearer', 'api-key']);
});

it.each(generating)('makes a secret of type %s that the type takes, another each time', (type) => {
  const secretOf = (): unknown => verificationOf({ type, ...MORE[type] }).secrets['secrets'];
  expect(secretOf()).toEqual([expect.stringMatching(/^.{40,}$/)]);
  expect(secretOf()).not.toEqual(secretOf());
});

it.each(['utf8', 'hex', 'base64'])('makes a key in %s', (keyForm) => {
  expect(verificationOf({ type: 'hmac', header: 'x-signature', keyForm }).secrets['secrets']).toHaveLength(1);
});

it('takes a secret of null for one that is not given', () => {
  expect(verificationOf({ type: 'github', secret: null }).secrets['secrets']).toEqual([expect.stringMatching(/^.{40,}$/)]);
});

it('keeps secrets apart from what is shown', () => {
  const meta = verificationOf({ type: 'meta', secret: 's', verifyToken: 'v' });
  expect(meta).toEqual({ verification: { type: 'meta' }, secrets: { secrets: ['s'], verifyToken: 'v' } });
});

it('asks for the secret that a platform makes', () => {
  expect(problemsOf(() => verificationOf({ type: 'stripe' }))).toEqual(['verification.secret']);
});

describe('over what there is', () => {
  const present = verificationOf({ type: 'slack', secret: 's', toleranceSeconds: 60 });

  it.each<[string, object, object]>([
    ['nothing new', {}, { verification: { type: 'slack', toleranceSeconds: 60 }, secrets: { secrets: ['s'] } }],
    ['one field', { toleranceSeconds: 30 }, { verification: { type: 'slack', toleranceSeconds: 30 }, secrets: { secrets: ['s'] } }],
    ['one set back', { toleranceSeconds: null }, { verification: { type: 'slack', toleranceSeconds: 300 }, secrets: { secrets: ['s'] } }],
    ['the secret', { secret: 't' }, { verification: { type: 'slack', toleranceSeconds: 60 }, secrets: { secrets: ['t'] } }],
    ['two secrets', { secrets: ['t', 'u'] }, { verification: { type: 'slack', toleranceSeconds: 60 }, secrets: { secrets: ['t', 'u'] } }],
    ['another type', { type: 'shopify', secret: 't' }, { verification: { type: 'shopify' }, secrets: { secrets: ['t'] } }],
  ])('%s', (_what, given, expected) => {
    expect(verificationOf({ ...given }, present)).toEqual(expected);
  });

  it('another type takes none of its secrets', () => {
    expect(problemsOf(() => verificationOf({ type: 'shopify' }, present))).toEqual(['verification.secret']);
  });

  it('a new secret replaces the others', () => {
    expect(withSecret(present, 't').secrets).toEqual({ secrets: ['t'] });
    expect(problemsOf(() => withSecret(present, undefined))).toEqual(['secret']);
    expect(problemsOf(() => withSecret(verificationOf({ type: 'none' }), 't'))).toBe('conflict');
    expect(problemsOf(() => withSecret(verificationOf({ type: 'svix', secret: 'whsec_c2VjcmV0' }), 'é'))).toEqual(['secret']);
  });
});
