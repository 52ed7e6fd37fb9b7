import { page, readFacebook as read, summary, whatsapp } from '../../../test/support/facebook-requests';

describe('the key', () => {
  const keysOf = (...items: object[]): (string | undefined)[] =>
    items.flatMap((item) => read(page(item)).map(({ dedupeKey }) => dedupeKey));

  it('does not join what shares a mid: a message, its reactions, its deletion, its edit, its echo', () => {
    const keys = keysOf(
      { timestamp: 1, message: { mid: 'm' } },
      { timestamp: 2, message: { mid: 'm', is_deleted: true } },
      { timestamp: 3, message: { mid: 'm', is_echo: true } },
      { timestamp: 4, reaction: { mid: 'm', action: 'react' } },
      { timestamp: 5, reaction: { mid: 'm', action: 'unreact' } },
      { timestamp: 6, reaction: { mid: 'm', action: 'react' } },
      { timestamp: 7, message_edit: { mid: 'm', num_edit: 1 } },
      { timestamp: 8, postback: { mid: 'm' } },
    );
    expect(keys).not.toContain(undefined);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('is the same in another batch at another time', () => {
    const item = { timestamp: 1_457_764_197_627, read: { watermark: 5 } };
    const sent = (time: number): string | undefined =>
      read({ object: 'page', entry: [{ id: '1', time, messaging: [item] }] })[0]?.dedupeKey;
    expect(sent(1)).toBe(sent(2));
  });

  it('tells pages apart where it is made of bytes', () => {
    const sent = (id: string): string | undefined =>
      read({ object: 'page', entry: [{ id, messaging: [{ timestamp: 1, read: {} }] }] })[0]?.dedupeKey;
    expect(sent('1')).not.toBe(sent('2'));
  });

  it('tells changes of one field apart by their values and by the time', () => {
    const sent = (time: number, value: string): string | undefined =>
      read({ object: 'page', entry: [{ id: '1', time, changes: [{ field: 'feed', value }] }] })[0]?.dedupeKey;
    expect(new Set([sent(1, 'a'), sent(1, 'b'), sent(2, 'a'), sent(1, 'a')]).size).toBe(3);
  });

  it('is missing where the same may happen twice: no id and no time', () => {
    expect(read({ object: 'page', entry: [{ id: '1', messaging: [{ read: {} }], changes: [{ field: 'feed' }] }] }).map(summary)).toEqual([
      ['facebook', 'read', '1', undefined, undefined],
      ['facebook', 'feed', '1', undefined, undefined],
    ]);
  });

  it('stays short and fit for a database', () => {
    const [long, other, nul] = keysOf(...['x'.repeat(5_000), 'x'.repeat(5_001), 'a\u0000'].map((mid) => ({ message: { mid } })));
    expect(long).toMatch(/^message#.{43}$/);
    expect(other).not.toBe(long);
    expect(nul).toMatch(/^message#.{43}$/);
  });

  it('has the recipient for statuses to a group', () => {
    const statuses = ['1', '2'].map((recipient_id) => ({ id: 'w', status: 'read', recipient_id }));
    expect(read(whatsapp({ statuses })).map(({ dedupeKey }) => dedupeKey)).toEqual(['wa-status:w:read:1', 'wa-status:w:read:2']);
  });
});

describe('times', () => {
  it.each([
    ['1457764197627', '2016-03-12T06:29:57.627Z'],
    ['1457764197', '2016-03-12T06:29:57.000Z'],
    ['"1457764197"', '2016-03-12T06:29:57.000Z'],
    ['"soon"', undefined],
    ['-5', undefined],
    ['1e12', undefined],
    ['9999999999999999', undefined],
    ['0', undefined],
    ['null', undefined],
  ])('%s is %s', (time, timestamp) => {
    expect(read(`{"entry":[{"messaging":[{"timestamp":${time}}]}]}`)[0]?.timestamp).toBe(timestamp);
  });
});
