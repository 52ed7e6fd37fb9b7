import type { StoredEvent } from '../../stored-event';
import { rawBody } from './raw';
import { standardBody } from './standard';

const event = (extra: Partial<StoredEvent> = {}): StoredEvent => ({
  id: '019346a0-0000-7000-8000-000000000001',
  accountId: 'default',
  source: 'facebook',
  application: 'facebook',
  eventType: 'message',
  level: null,
  timestamp: '2026-11-22T10:00:00.000Z',
  receivedAt: 1,
  requestId: '019346a0-0000-7000-8000-000000000002',
  context: Buffer.from('{"object":"page","entryId":"1"}'),
  data: Buffer.from('{"n":12345678901234567890, "n":1,\r\n"t":"\\u0000"}'),
  body: Buffer.from('whole'),
  contentType: 'application/json; charset=utf-8',
  ...extra,
});

describe('standardBody', () => {
  it('splices context and data in byte for byte', () => {
    const { body, contentType } = standardBody(event());
    expect(contentType).toBe('application/json');
    expect(body.toString()).toBe(
      '{"id":"019346a0-0000-7000-8000-000000000001","type":"facebook.message","timestamp":"2026-11-22T10:00:00.000Z",' +
        '"accountId":"default","application":"facebook","eventType":"message","level":null,' +
        '"context":{"object":"page","entryId":"1"},"data":{"n":12345678901234567890, "n":1,\r\n"t":"\\u0000"}}',
    );
  });

  it('has every key where level and context are missing', () => {
    const parsed = JSON.parse(standardBody(event({ context: null, data: Buffer.from('"x"') })).body.toString()) as object;
    expect(parsed).toEqual({
      id: '019346a0-0000-7000-8000-000000000001',
      type: 'facebook.message',
      timestamp: '2026-11-22T10:00:00.000Z',
      accountId: 'default',
      application: 'facebook',
      eventType: 'message',
      level: null,
      context: null,
      data: 'x',
    });
  });

  it('escapes what the sender chose', () => {
    const { body } = standardBody(event({ eventType: 'a"b\n', level: '","data":1,"x":"' }));
    expect(JSON.parse(body.toString())).toMatchObject({ eventType: 'a"b\n', level: '","data":1,"x":"', data: { t: '\0' } });
  });

  it('is built once for all deliveries of an event', () => {
    const one = event();
    expect(standardBody(one).body).toBe(standardBody(one).body);
  });
});

describe('rawBody', () => {
  it('is the sender’s bytes with their content type', () => {
    const body = Buffer.from([0xff, 0x00, 0x0d, 0x0a]);
    expect(rawBody(event({ body }))).toEqual({ body, contentType: 'application/json; charset=utf-8' });
  });
});
