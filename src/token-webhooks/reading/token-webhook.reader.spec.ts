import type { RawRequest } from '../../channels/channel';
import { readTokenWebhook } from './token-webhook.reader';

const request = (body: string, tsField?: string, routingKey = 'event.5618780000.github.push'): RawRequest => ({
  requestId: 'a-request',
  receivedAt: 1_450_778_008_713,
  contentType: 'application/json',
  body: Buffer.from(body),
  attributes: { 'routing-key': routingKey, ...(tsField !== undefined && { 'ts-field': tsField }) },
});

const read = (body: string, tsField?: string) => {
  const [event] = readTokenWebhook(request(body, tsField));
  return { ...event, context: JSON.parse(String(event?.context)) as unknown };
};

it('names account, application and type by the words of the key, and keeps every byte', () => {
  const body = ' {"order": 12345678901234567890 }\n';
  const [event] = readTokenWebhook(request(body));
  expect(event).toMatchObject({ accountId: '5618780000', application: 'github', eventType: 'push', contentType: 'application/json' });
  expect(event?.body.toString()).toBe(body);
  expect(event?.data.toString()).toBe(body.trim());
  expect(event).not.toHaveProperty('dedupeKey');
});

it.each([
  ['commits[0].timestamp', '{"commits":[{"timestamp":"2016-01-02T03:04:05+02:00"}]}', '2016-01-02T01:04:05.000Z'],
  ['[1].at', '[{},{"at":1450778008}]', '2015-12-22T09:53:28.000Z'],
  ['at', '{"at":"1450778008713"}', '2015-12-22T09:53:28.713Z'],
  ['a-b.c d', '{"a-b":{"c d":"2016-01-02"}}', '2016-01-02T00:00:00.000Z'],
  ['m[0][1]', '{"m":[[0,1450778008.5]]}', '2015-12-22T09:53:28.500Z'],
])('takes the time at %s', (tsField, body, timestamp) => {
  expect(read(body, tsField)).toMatchObject({ timestamp, context: { tsField, timestampFrom: 'tsField' } });
});

it.each([
  ['commits[0].timestamp', '{"commits":[]}', 'there is no such field'],
  ['commits[0].timestamp', '{"commits":{"0":{"timestamp":1450778008}}}', 'there is no such field'],
  ['at', '{"at":"yesterday"}', 'the field holds no time that can be read'],
  ['at', '{"at":{"n":1}}', 'the field holds no time that can be read'],
  ['at', '{"at":null}', 'the field holds no time that can be read'],
  ['at', '{"at":true}', 'the field holds no time that can be read'],
  ['a..b', '{"a":1}', 'tsField is no path such as commits[0].timestamp'],
])('with %s in %s the time of receipt counts, and the event says why', (tsField, body, reason) => {
  const event = read(body, tsField);
  expect(event).not.toHaveProperty('timestamp');
  expect(event.context).toEqual({ tsField, timestampFrom: 'received', reason });
});

it('says so too where there is no tsField', () => {
  expect(read('{}').context).toEqual({ timestampFrom: 'received', reason: 'tsField is not set' });
});

describe('what a program outside published', () => {
  const foreign = (routingKey: string, headers: Record<string, string> = {}): RawRequest => {
    const { attributes: _ours, ...rest } = request('{"at":1450778008}');
    return { ...rest, published: { routingKey, headers } };
  };

  it('is read by its routing key and its header tsField', () => {
    const [event] = readTokenWebhook(foreign('event.acme.jira.issue.created', { tsField: 'at' }));
    expect(event).toMatchObject({
      accountId: 'acme',
      application: 'jira',
      eventType: 'issue.created',
      timestamp: '2015-12-22T09:53:28.000Z',
    });
  });

  it.each(['event', 'event.acme.jira', 'event.acme..x', 'other.acme.jira.x', 'event.*.jira.x', 'webhooks.sources.default'])(
    'with the key %s it can never be read',
    (key) => expect(() => readTokenWebhook(foreign(key))).toThrow('routing key'),
  );
});

it('what is no JSON can never be read', () => {
  expect(() => readTokenWebhook(request('{'))).toThrow(expect.objectContaining({ code: 'malformed_json' }));
});
