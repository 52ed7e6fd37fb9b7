import { outgoingHeaders } from './custom-headers';

const own = { 'content-type': 'application/json', 'webhook-id': '1' };

describe('outgoingHeaders', () => {
  it('puts the endpoint’s headers beside the gateway’s; its own content type wins', () => {
    const headers = { 'X-Team': 'a', 'Content-Type': 'application/x' };
    expect(outgoingHeaders({ headers, auth: null }, own)).toEqual(['X-Team', 'a', 'Content-Type', 'application/x', 'webhook-id', '1']);
  });

  it.each([
    { auth: { type: 'bearer', token: 'abc' }, value: 'Bearer abc' },
    { auth: { type: 'basic', username: 'ü', password: 'p:w' }, value: `Basic ${Buffer.from('ü:p:w').toString('base64')}` },
  ])('presents itself: $auth.type', ({ auth, value }) => {
    expect(outgoingHeaders({ headers: {}, auth }, {})).toEqual(['authorization', value]);
  });
});
