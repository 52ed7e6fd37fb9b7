import type { IncomingMessage } from './broker';
import { Inbox } from './inbox';

const message = (text: string, redeliveries = 0): IncomingMessage => ({
  id: text,
  queue: 'q',
  exchange: '',
  routingKey: 'q',
  body: Buffer.from(text),
  headers: {},
  redeliveries,
});

const fill = (...messages: IncomingMessage[]): Inbox<IncomingMessage> => {
  const inbox = new Inbox<IncomingMessage>();
  for (const one of messages) inbox.push(one);
  return inbox;
};

const groupsOf = (inbox: Inbox<IncomingMessage>, maxMessages: number, maxBytes: number): string[] => {
  const groups: string[] = [];
  while (inbox.size > 0)
    groups.push(
      inbox
        .take(maxMessages, maxBytes)
        .map(({ id }) => id)
        .join('+'),
    );
  return groups;
};

describe('Inbox', () => {
  it.each([
    { title: 'by count', texts: ['a', 'b', 'c', 'd', 'e'], maxMessages: 2, maxBytes: 100, groups: ['a+b', 'c+d', 'e'] },
    { title: 'by bytes', texts: ['aaa', 'bb', 'c', 'dddd'], maxMessages: 9, maxBytes: 5, groups: ['aaa+bb', 'c+dddd'] },
    { title: 'a message over the limit alone', texts: ['a', 'bbbbbbb', 'c'], maxMessages: 9, maxBytes: 5, groups: ['a', 'bbbbbbb', 'c'] },
    { title: 'none when it is empty', texts: [], maxMessages: 9, maxBytes: 5, groups: [] },
  ])('forms groups $title', ({ texts, maxMessages, maxBytes, groups }) => {
    expect(groupsOf(fill(...texts.map((text) => message(text))), maxMessages, maxBytes)).toEqual(groups);
  });

  it('hands out a redelivered message alone, wherever it stands', () => {
    const inbox = fill(message('r1', 1), message('a'), message('b'), message('r2', 3), message('r3', 1), message('c'));
    expect(groupsOf(inbox, 10, 100)).toEqual(['r1', 'a+b', 'r2', 'r3', 'c']);
  });

  it('keeps count of its bytes', () => {
    const inbox = fill(message('aa'), message('bbb'));
    expect(inbox.bytes).toBe(5);
    inbox.take(1, 100);
    expect(inbox.bytes).toBe(3);
    expect(inbox.drain().map(({ id }) => id)).toEqual(['bbb']);
    expect([inbox.bytes, inbox.size]).toEqual([0, 0]);
  });

  it('keeps the order over thousands', () => {
    const texts = Array.from({ length: 5_000 }, (_, index) => String(index));
    const inbox = fill(...texts.map((text) => message(text)));
    expect(groupsOf(inbox, 7, 1_000).join('+')).toBe(texts.join('+'));
  });
});
