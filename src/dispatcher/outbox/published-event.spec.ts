import type { FieldProblem } from '../../core/errors';
import { parseJson } from '../../core/json-slice';
import { type PublishedEvent, readPublishedEvent } from './published-event';

const read = (text: string, path = ''): { event: PublishedEvent | undefined; problems: FieldProblem[] } => {
  const problems: FieldProblem[] = [];
  return { event: readPublishedEvent(parseJson(Buffer.from(text)), path, problems), problems };
};

const withField = (field: string, value: unknown): string =>
  JSON.stringify({ application: 'shop', eventType: 'paid', message: 1, [field]: value });

describe('readPublishedEvent', () => {
  it('keeps the bytes of the message, whatever stands in it', () => {
    const message = '{ "n":12345678901234567890,\n"f":1.50e+400, "e":"\\u00e9\\/" }';
    const { event, problems } = read(`{"application":"shop","eventType":"paid", "message": ${message} ,"id":"o-1"}`);
    expect(problems).toEqual([]);
    expect(event?.data.toString()).toBe(message);
    expect(event).toMatchObject({ application: 'shop', eventType: 'paid', dedupeKey: 'o-1' });
  });

  it.each(['null', '0', '""', '[]', 'false'])('takes %s for a message', (message) => {
    expect(read(`{"application":"a","eventType":"b","message":${message}}`).event?.data.toString()).toBe(message);
  });

  it('takes null for an optional field as its absence', () => {
    const { event, problems } = read(
      '{"accountId":null,"application":"a","eventType":"b","level":null,"timestamp":null,"id":null,"message":1}',
    );
    expect(problems).toEqual([]);
    expect(Object.keys(event ?? {}).sort()).toEqual(['application', 'data', 'eventType']);
  });

  it.each([
    ['accountId', 'a:b'],
    ['accountId', ''],
    ['application', ''],
    ['application', 'hookline'],
    ['application', null],
    ['application', 'a\u0000b'],
    ['application', 'x'.repeat(129)],
    ['eventType', 7],
    ['level', ['info']],
    ['timestamp', 'yesterday'],
    ['timestamp', '2026-13-41T00:00:00Z'],
    ['timestamp', 1763800000],
    ['id', ''],
    ['id', 12],
    ['id', '\ud800'],
    ['acountId', 'typo'],
    ['__proto__x', {}],
  ])('refuses %s = %j', (field, value) => {
    const { event, problems } = read(withField(field, value));
    expect(event).toBeUndefined();
    expect(problems.map((problem) => problem.path)).toEqual([field]);
  });

  it.each(['2026-11-22T09:30:00Z', '2026-11-22T09:30:00.123456+02:00', '2026-11-22T09:30Z'])('takes %s for a timestamp', (timestamp) => {
    expect(read(withField('timestamp', timestamp)).event?.timestamp).toBe(timestamp);
  });

  it('names every problem, with its place in a batch', () => {
    const { problems } = read('{"level":1}', 'events[2]');
    expect(problems.map((problem) => problem.path)).toEqual([
      'events[2].application',
      'events[2].eventType',
      'events[2].level',
      'events[2].message',
    ]);
  });

  it('names no more than 100 problems, however many fields are wrong', () => {
    const fields = Array.from({ length: 100_000 }, (_, index) => `"a${String(index)}":1`).join();
    expect(read(`{"application":"shop","eventType":"paid","message":1,${fields}}`)).toMatchObject({
      event: undefined,
      problems: { length: 100 },
    });
  });

  it('refuses anything but an object', () => {
    expect(read('[1]').problems).toEqual([{ path: '', message: 'must be an object' }]);
  });
});
