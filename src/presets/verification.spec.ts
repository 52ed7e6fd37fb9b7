import { readVerification, secretFieldsOf } from './verification';
import { findPreset } from './presets';

const problemsOf = (raw: unknown): Record<string, string> => {
  const read = readVerification(raw);
  return 'problems' in read ? Object.fromEntries(read.problems.map(({ path, message }) => [path, message])) : {};
};

it('gives a preset’s settings, with one secret or several', () => {
  expect(readVerification({ type: 'github', secret: 'a' })).toMatchObject({ preset: { type: 'github' }, settings: { secrets: ['a'] } });
  expect(readVerification({ type: 'github', secrets: ['b', 'a'] })).toMatchObject({ settings: { secrets: ['b', 'a'] } });
  expect(readVerification({ type: 'github', secret: 'a', secrets: null })).toMatchObject({ settings: { secrets: ['a'] } });
});

it.each(['whsec_', 'whsec_AAAA', 'AAAAAAAA', 'whsec_A==='])('takes no key that is the empty one to HMAC: %s', (secret) => {
  for (const type of ['standard-webhooks', 'svix']) expect(problemsOf({ type, secret })).toHaveProperty(['verification.secret']);
});

it.each([
  ['nothing', undefined, { verification: 'must be an object' }],
  ['a list', [], { verification: 'must be an object' }],
  ['no type', {}, { 'verification.type': expect.stringContaining('must be one of ') }],
  ['a type of Object’s', { type: 'constructor' }, { 'verification.type': expect.stringContaining('github') }],
  ['no secret', { type: 'github' }, { 'verification.secret': 'is required' }],
  ['a null', { type: 'github', secret: null }, { 'verification.secret': 'is required' }],
  ['an empty secret', { type: 'github', secret: '' }, { 'verification.secret': 'must be a text of 1 to 4096 characters' }],
  ['a long secret', { type: 'github', secret: 'x'.repeat(4_097) }, { 'verification.secret': 'must be a text of 1 to 4096 characters' }],
  ['a number', { type: 'github', secret: 5 }, { 'verification.secret': 'must be a text of 1 to 4096 characters' }],
  ['no secrets', { type: 'github', secrets: [] }, { 'verification.secrets': 'must be a list of 1 to 5 texts' }],
  ['too many', { type: 'github', secrets: [...'abcdef'] }, { 'verification.secrets': 'must be a list of 1 to 5 texts' }],
  ['one of several', { type: 'github', secrets: ['a', 2] }, { 'verification.secrets[1]': 'must be a text of 1 to 4096 characters' }],
  ['both', { type: 'github', secret: 'a', secrets: ['b'] }, { 'verification.secret': 'is not a known field' }],
  ['an unknown field', { type: 'github', secret: 'a', salt: 1 }, { 'verification.salt': 'is not a known field' }],
])('says what is wrong with %s', (_what, raw, problems) => {
  expect(problemsOf(raw)).toEqual(problems);
});

it('takes the name of what it stands in from the caller', () => {
  expect(readVerification({}, 'body.check')).toMatchObject({ problems: [{ path: 'body.check.type' }] });
});

it('knows which fields are sealed', () => {
  expect(secretFieldsOf(findPreset('github')!)).toEqual(['secrets']);
});
