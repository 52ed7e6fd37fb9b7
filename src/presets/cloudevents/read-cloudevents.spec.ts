import { setImmediate } from 'node:timers/promises';
import { readCloudEvents } from './read-cloudevents';

const CONTENT_TYPE = 'application/cloudevents+json';

const read = (text: string): ReturnType<typeof readCloudEvents> =>
  readCloudEvents({ headers: {}, contentType: CONTENT_TYPE, body: Buffer.from(text) });

describe('readCloudEvents', () => {
  it('reads an event of very many attributes in one pass', async () => {
    const attributes = Array.from({ length: 20_000 }, (_, index) => `"a${String(index)}":1`).join(',');
    for (let round = 0; round < 10; round++) {
      const [event] = read(`{"specversion":"1.0","id":"1","source":"s","type":"t",${attributes}}`);
      expect(event).toMatchObject({ eventType: 't', dedupeKey: '["s","1"]' });
      // Lets the test's own limit of time end it.
      await setImmediate();
    }
  });

  it('takes the last of equal attributes, as JSON.parse does', () => {
    const [event] = read('{"specversion":"1.0","id":"1","id":"2","source":"s","type":"t","data":1,"data":2}');
    expect(event?.dedupeKey).toBe('["s","2"]');
    expect(event?.data.toString()).toBe('2');
    expect(event?.context?.toString()).toBe('{"specversion":"1.0","id":"2","source":"s","type":"t"}');
  });
});
