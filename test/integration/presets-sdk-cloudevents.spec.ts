import { CloudEvent, HTTP } from 'cloudevents';
import { readCloudEvents } from '../../src/presets/cloudevents/read-cloudevents';
import type { PresetEvent } from '../../src/presets/preset';
import { codeOf } from '../support/signed-request';

const DATA = { text: 'Grüße 😀', list: [1, { deep: null }] };

const sent = new CloudEvent({
  id: 'A 1',
  source: '/my/context',
  type: 'com.example.x',
  time: '2024-05-06T07:08:09.010Z',
  subject: 'sub',
  data: DATA,
});

type Message = { headers: Record<string, unknown>; body: unknown };

const read = ({ headers, body }: Message): PresetEvent[] => {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
  return readCloudEvents({ headers: lower, contentType: lower['content-type'] ?? '', body: Buffer.from(String(body)) });
};

/** Whether the official library takes it for a valid event. */
const isTheirs = (message: Message): boolean => {
  try {
    return (HTTP.toEvent(message as never) as CloudEvent<unknown>).validate();
  } catch {
    return false;
  }
};

describe.each([
  ['binary', () => HTTP.binary(sent) as Message],
  ['structured', () => HTTP.structured(sent) as Message],
])('%s events of the official SDK', (_mode, make) => {
  it('are read as they were sent', () => {
    const [event, ...more] = read(make());
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      eventType: 'com.example.x',
      dedupeKey: '["/my/context","A 1"]',
      timestamp: '2024-05-06T07:08:09.010Z',
    });
    expect(JSON.parse(event!.data.toString())).toEqual(DATA);
    expect(JSON.parse(event!.context!.toString())).toMatchObject({ subject: 'sub', specversion: '1.0' });
  });

  // Of a structured event without an id the SDK makes one up.
  it.each(['source', 'type'])('without %s are refused by both', (name) => {
    const message = make();
    const headers = Object.fromEntries(Object.entries(message.headers).filter(([header]) => header.toLowerCase() !== `ce-${name}`));
    const body = String(message.body).replace(new RegExp(`"${name}":"[^"]*",?`), '');
    const broken = { headers, body };
    expect([codeOf(() => read(broken)), isTheirs(broken)]).toEqual(['malformed_request', false]);
  });
});

it('a batch of structured events is read one by one', () => {
  const bodies = ['1', '2'].map((id) => String((HTTP.structured(sent.cloneWith({ id })) as Message).body));
  const events = read({ headers: { 'content-type': 'application/cloudevents-batch+json' }, body: `[${bodies.join(',')}]` });
  expect(events.map(({ dedupeKey }) => dedupeKey)).toEqual(['["/my/context","1"]', '["/my/context","2"]']);
});

it('bytes come as base64', () => {
  const bytes = new CloudEvent({
    id: '1',
    source: '/s',
    type: 't',
    datacontenttype: 'application/octet-stream',
    data: new Uint8Array([255, 0]),
  });
  const [event] = read(HTTP.structured(bytes));
  expect(event!.data.toString()).toBe('"/wA="');
  expect(JSON.parse(event!.context!.toString())).toMatchObject({ encoding: 'base64' });
});
