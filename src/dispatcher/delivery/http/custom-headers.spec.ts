import { headerProblems, outgoingHeaders } from './custom-headers';

describe('headerProblems', () => {
  it.each([
    ['Host', 'a'],
    ['content-length', '1'],
    ['Transfer-Encoding', 'chunked'],
    ['connection', 'close'],
    ['Webhook-Id', 'x'],
    ['webhook-signature', 'x'],
    ['a b', 'x'],
    ['', 'x'],
    ['x', 'a\r\nb: c'],
    ['x', 'a\nb'],
    ['x', '\0'],
    ['x', '☃'],
    ['x', 1],
    ['x', null],
  ])('refuses %j: %j', (name, value) => {
    expect(headerProblems({ [name]: value })).toMatchObject([{ path: `headers.${name}` }]);
  });

  it('lets others pass', () => {
    expect(
      headerProblems({ authorization: 'Bearer x', 'X-Team': 'a, b', 'content-type': 'application/x', 'x-empty': '', 'x-é': 'é' }),
    ).toMatchObject([{ path: 'headers.x-é' }]);
  });
});

describe('outgoingHeaders', () => {
  it('puts the endpoint’s own beside the gateway’s and never over what is reserved', () => {
    const custom = { 'X-Team': 'a', 'Content-Type': 'application/x', host: 'evil', 'Webhook-Id': 'forged' };
    const own = { 'content-type': 'application/json', 'webhook-id': '1' };
    expect(outgoingHeaders(custom, own)).toEqual(['X-Team', 'a', 'Content-Type', 'application/x', 'webhook-id', '1']);
  });
});
