import type { Broker, OutgoingMessage } from '../broker/broker';
import { GatewayError } from '../core/errors';
import type { DispatchOutcome, IncomingEvent, IncomingRequest, Statement } from '../core/hook-event';
import { firstIdAt } from '../core/ids';
import { statementOf } from './statement';
import { readMessage, writeMessages } from './statement-message';
import { StatementPublisher } from './statement-publisher';
import type { ThreadStatement } from './thread';

const RECEIVED_AT = Date.UTC(2026, 10, 20);
/** Processing was switched off meanwhile. */
const STORED_AT = RECEIVED_AT + 60_000;
const SPOKEN: Statement = { threadId: 'facebook:1:2', author: '2', isOwn: false, text: 'hi', attachments: [] };
const of = (change: Partial<Statement>, timestamp?: string): ThreadStatement =>
  statementOf({
    statement: { ...SPOKEN, ...change },
    timestamp,
    receivedAt: RECEIVED_AT,
    eventId: firstIdAt(STORED_AT),
    accountId: 'a',
  });

describe('a statement', () => {
  it('is of the event that brought it', () => {
    const { isOwn: own, ...spoken } = SPOKEN;
    expect(of({}, '2026-11-19T00:00:00Z')).toEqual({
      ...spoken,
      own,
      channel: 'facebook',
      accountId: 'a',
      eventId: firstIdAt(STORED_AT),
      at: Date.UTC(2026, 10, 19),
    });
  });

  it.each([undefined, 'soon', '2027-01-01T00:00:00Z', '1960-01-01T00:00:00Z'])('with the time %s was said when it came in', (timestamp) => {
    expect(of({}, timestamp).at).toBe(RECEIVED_AT);
  });

  it('is such that every store can hold it', () => {
    const text = `a\0b\ud800c\n${'x'.repeat(100_000)}`;
    const attachments = [
      { type: 'a\0', url: `https://a/${'x'.repeat(5_000)}` },
      ...Array.from({ length: 60 }, () => ({ type: 'b', url: 'https://b' })),
    ];
    const statement = of({ text, attachments, author: `x\0${'y'.repeat(300)}` });
    expect(statement.text).toHaveLength(64_000);
    expect(statement.text.startsWith('a\ufffdb\ufffdc\n')).toBe(true);
    expect(statement.attachments).toHaveLength(50);
    expect(statement.attachments.slice(0, 2)).toEqual([{ type: 'a\ufffd' }, { type: 'b', url: 'https://b' }]);
    expect(statement.author).toHaveLength(256);
  });

  it.each(['facebook:a b', 'facebook:ä', `facebook:${'x'.repeat(200)}`])(
    'has a fit thread id in place of %j, another for another',
    (threadId) => {
      expect(of({ threadId }).threadId).toMatch(/^facebook:sha256:[\w-]{43}$/);
      expect(of({ threadId }).threadId).not.toBe(of({ threadId: `${threadId} ` }).threadId);
    },
  );
});

describe('messages of statements', () => {
  it('are read as they were written, bounded in length', () => {
    const statements = Array.from({ length: 40 }, () => of({ text: 'ä'.repeat(60_000) }));
    const messages = writeMessages(statements);
    expect(messages.length).toBeGreaterThan(1);
    for (const message of messages) expect(message.length).toBeLessThan(2 * 1024 * 1024);
    expect(messages.flatMap(readMessage)).toEqual(statements);
  });

  it.each([
    '',
    '{}',
    '[1]',
    '[{}]',
    JSON.stringify([{ ...of({}), eventId: 'x' }]),
    JSON.stringify([{ ...of({}), attachments: [{ url: 'a' }] }]),
  ])('are not %j', (body) => {
    expect(() => readMessage(Buffer.from(body))).toThrow(GatewayError);
  });
});

describe('publishing', () => {
  const event = (statement?: Statement): IncomingEvent =>
    ({ application: 'facebook', eventType: 'message', statement: () => statement }) as IncomingEvent;
  const unasked: IncomingEvent['statement'] = () => {
    throw new Error('It was asked for');
  };
  const request = (...events: IncomingEvent[]): IncomingRequest => ({ requestId: 'r', source: 'facebook', receivedAt: 1, events });
  const outcome = (id: string, duplicate = false): DispatchOutcome => ({ id, duplicate, accountId: 'acme' });
  const [one, two, three] = [1, 2, 3].map((at) => firstIdAt(STORED_AT + at)) as [string, string, string];

  function setUp({ enabled = true, isAway = false } = {}) {
    const published: OutgoingMessage[] = [];
    const publish = (message: OutgoingMessage): Promise<void> => {
      published.push(message);
      return isAway ? Promise.reject(new GatewayError('broker_unavailable')) : Promise.resolve();
    };
    return { published, publisher: new StatementPublisher({ enabled, retentionDays: 1 }, { publish } as unknown as Broker) };
  }

  it('sends a group’s statements as one message, with the ids and accounts that dispatch gave, without duplicates', async () => {
    const { published, publisher } = setUp();
    await publisher.publish(
      [request(event(SPOKEN), event(), event(SPOKEN)), request(event({ ...SPOKEN, text: 'again' }))],
      [[outcome(one), outcome('none'), outcome(two, true)], [outcome(three)]],
    );
    expect(published).toMatchObject([{ exchange: '', routingKey: 'threads.statements' }]);
    expect(readMessage(published[0]!.body)).toMatchObject([
      { eventId: one, accountId: 'acme', text: 'hi' },
      { eventId: three, accountId: 'acme', text: 'again' },
    ]);
  });

  it.each([
    ['nothing was said', {}, event()],
    ['it is switched off', { enabled: false }, { ...event(), statement: unasked }],
  ])('sends nothing where %s', async (_what, options, of_) => {
    const { published, publisher } = setUp(options);
    await publisher.publish([request(of_)], [[outcome(one)]]);
    expect(published).toEqual([]);
  });

  it('fails while the broker is away, so that the group is handled again', async () => {
    const { publisher } = setUp({ isAway: true });
    await expect(publisher.publish([request(event(SPOKEN))], [[outcome(one)]])).rejects.toMatchObject({ code: 'broker_unavailable' });
  });
});
