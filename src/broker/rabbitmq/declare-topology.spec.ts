import { problemOf } from './declare-topology';

const refused = (message: string, code = 406): Error => Object.assign(new Error(message), { code });
const prefix = 'Operation failed: QueueDeclare; 406 (PRECONDITION-FAILED) with message "PRECONDITION_FAILED - ';

describe('problemOf', () => {
  it.each([
    [
      `${prefix}inequivalent arg 'x-queue-type' for queue 'q' in vhost '/': received 'quorum' but current is 'classic'"`,
      { kind: 'queue', name: 'q', argument: 'x-queue-type', wanted: 'quorum', found: 'classic' },
    ],
    [
      `${prefix}inequivalent arg 'x-dead-letter-exchange' for queue 'q.dead' in vhost 'a/b': received none but current is the value 'x' of type 'longstr'"`,
      { kind: 'queue', name: 'q.dead', argument: 'x-dead-letter-exchange', wanted: 'none', found: 'x' },
    ],
    [
      `${prefix}inequivalent arg 'x-delivery-limit' for queue 'q' in vhost '/': received the value '30' of type 'signedint' but current is none"`,
      { kind: 'queue', name: 'q', argument: 'x-delivery-limit', wanted: '30', found: 'none' },
    ],
    [
      `Operation failed: ExchangeDeclare; 406 (PRECONDITION-FAILED) with message "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'webhooks' in vhost '/': received 'direct' but current is 'topic'"`,
      { kind: 'exchange', name: 'webhooks', argument: 'type', wanted: 'direct', found: 'topic' },
    ],
  ])('reads %s', (message, problem) => {
    expect(problemOf(refused(message))).toEqual(problem);
  });

  it.each([refused('no such thing', 404), refused('something else', 406), new Error('channel closed'), 'text'])(
    'leaves %s alone',
    (error) => {
      expect(problemOf(error)).toBeUndefined();
    },
  );
});
