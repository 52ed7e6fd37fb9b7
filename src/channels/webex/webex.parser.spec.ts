import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '../../core/errors';
import type { IncomingEvent } from '../../core/hook-event';
import { webexId } from '../../core/webex-id';
import { parseWebex } from './webex.parser';

const folder = join(__dirname, '../../../test/fixtures/webex/payloads');
const PERSON = 'Y2lzY29zcGFyazovL3VzL1BFT1BMRS9mNWIzNjE4Ny1jOGRkLTQ3MjctOGIyZi1mOWM0NDdmMjkwNDY';
const OTHER = 'Y2lzY29zcGFyazovL3VzL1BFT1BMRS8wMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDA';
const ROOM = 'Y2lzY29zcGFyazovL3VzL1JPT00vYmJjZWIxYWQtNDNmMS0zYjU4LTkxNDctZjE0YmIwYzRkMTU0';

const read = (body: Buffer | string | object, bots: string[] = []): IncomingEvent =>
  parseWebex(
    Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    'application/json',
    new Set(bots.map(webexId)),
  );

/** A message of PERSON's, changed. */
const message = (data: object = {}, envelope: object = {}): object => ({
  id: 'W1',
  resource: 'messages',
  event: 'created',
  actorId: PERSON,
  ...envelope,
  data: { id: 'M1', roomId: ROOM, personId: PERSON, created: '2015-10-18T14:26:16.000Z', ...data },
});

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof GatewayError) return error.code;
    throw error;
  }
};

it('reads the published message', () => {
  const body = readFileSync(join(folder, 'webex_messages_created.json'));
  const event = read(body);
  const parsed = JSON.parse(body.toString());
  expect(event).toMatchObject({
    application: 'webex',
    eventType: 'messages.created',
    identity: { channel: 'webex', externalId: PERSON, fallbackIds: ['OTZhYmMyYWEtM2RjYy0xMWU1LWExNTItZmUzNDgxOWNkYzlh'] },
    timestamp: '2015-10-18T14:26:16.000Z',
    dedupeKey: expect.stringMatching(/^messages\.created#.{43}$/),
  });
  expect(event.statement?.()).toEqual({ threadId: `webex:${ROOM}`, author: PERSON, isOwn: false, text: '', attachments: [] });
  expect(event.body).toBe(body);
  expect(body.includes(event.data)).toBe(true);
  expect(JSON.parse(event.data.toString())).toEqual(parsed.data);
  const { id, name, resource, event: what, filter, orgId, createdBy, appId, ownedBy, actorId } = parsed;
  expect(JSON.parse(event.context!.toString())).toEqual({
    ...{ webhookId: id, name, resource, event: what, filter, orgId, createdBy, appId, ownedBy, actorId },
  });
});

it('leaves every byte of data as it came', () => {
  const data = '{ "id": "\\u00e4\\/", "n":12345678901234567890.10 }';
  expect(read(`{"resource":"rooms" , "event":"updated","data": ${data} }`).data.toString()).toBe(data);
});

describe('the key', () => {
  const keyOf = (body: object): string | undefined => read(body).dedupeKey;

  it('is the same for the same message told again, with whatever else has changed', () => {
    expect(keyOf(message({ roomType: 'group' }, { name: 'renamed' }))).toBe(keyOf(message()));
  });

  it.each([
    ['another message', message({ id: 'M2' })],
    ['another webhook', message({}, { id: 'W2' })],
    ['another resource', message({}, { resource: 'attachmentActions' })],
    ['another event', message({}, { event: 'deleted' })],
    ['an update', message({ updated: '2015-10-18T14:27:16.000Z' }, { event: 'updated' })],
    ['ids that run into one another', message({ id: '1M1' }, { id: 'W' })],
    ['what is there again: a member who left and came back', message({ created: '2015-10-18T14:26:17.000Z' })],
  ])('is another one for %s', (_what, body) => {
    expect(keyOf(body)).toBeDefined();
    expect(keyOf(body)).not.toBe(keyOf(message()));
  });

  it('knows an update by its time', () => {
    const at = (updated: string): string | undefined => keyOf(message({ updated }, { event: 'updated' }));
    expect(at('2015-10-18T14:27:16.000Z')).toBe(at('2015-10-18T14:27:16.000Z'));
    expect(at('2015-10-18T14:27:17.000Z')).not.toBe(at('2015-10-18T14:27:16.000Z'));
  });

  it.each([
    ['may happen again and has no time', message({}, { event: 'updated' })],
    ['begins anew', message({}, { resource: 'meetings', event: 'started' })],
    ['has no id', message({ id: undefined })],
    ['has a number for an id', message({ id: 1 })],
    ['has no data', { resource: 'messages', event: 'created' }],
  ])('is missing where it %s', (_what, body) => {
    expect(keyOf(body)).toBeUndefined();
  });
});

describe('what the bot did itself', () => {
  const [, uri] = [PERSON, Buffer.from(PERSON, 'base64').toString()];

  it.each([PERSON, uri, uri.split('/').at(-1)!, `${PERSON}==`])('is withheld, known by %s', (bot) => {
    const event = read(message(), [OTHER, bot]);
    expect(event.withheld).toBe('own_bot');
    expect(event.statement?.()?.isOwn).toBe(true);
  });

  it.each([
    ['it wrote it, whoever is named as the actor', message({}, { actorId: OTHER }), true],
    ['nobody is named as the actor', message({}, { actorId: undefined }), true],
    ['it deleted a message of somebody’s', message({ personId: OTHER }, { event: 'deleted' }), true],
    ['it was added to a room', message({}, { resource: 'memberships', actorId: OTHER }), false],
    ['somebody deleted its message', message({}, { event: 'deleted', actorId: OTHER }), false],
    ['somebody wrote', message({ personId: OTHER }, { actorId: OTHER }), false],
    ['nobody is named', message({ personId: undefined }, { actorId: undefined }), false],
  ])('when %s', (_what, body, isOwn) => {
    expect(read(body, [PERSON]).withheld).toBe(isOwn ? 'own_bot' : undefined);
    expect(read(body).withheld).toBeUndefined();
  });
});

describe('the time', () => {
  it.each([
    ['created', { created: '2015-10-18T14:26:16.203Z' }, '2015-10-18T14:26:16.203Z'],
    ['created', { created: '2015-10-18T14:26:16+02:00' }, '2015-10-18T12:26:16.000Z'],
    ['updated', { updated: '2015-10-19T14:26:16.000Z' }, '2015-10-19T14:26:16.000Z'],
    ['updated', {}, undefined],
    ['deleted', {}, undefined],
    ['created', { created: 'soon' }, undefined],
    ['created', { created: '2015-13-41T99:99:99Z' }, undefined],
    ['created', { created: 1 }, undefined],
  ])('of %s with %j is %s', (event, data, timestamp) => {
    expect(read(message(data, { event })).timestamp).toBe(timestamp);
  });
});

describe('the statement', () => {
  it('has the files, and the text where there is one', () => {
    const event = read(message({ files: ['https://files/1', 2], text: 'hello', personId: OTHER }));
    expect(event.statement?.()).toMatchObject({
      author: OTHER,
      text: 'hello',
      attachments: [{ type: 'file', url: 'https://files/1' }, { type: 'file' }],
    });
  });

  it.each([
    ['a membership', message({}, { resource: 'memberships' })],
    ['a deletion', message({}, { event: 'deleted' })],
    ['a message without a room', message({ roomId: undefined })],
    ['a room that is no id', message({ roomId: 'a room' })],
    ['a message of nobody', message({ personId: undefined }, { actorId: undefined })],
    ['no data', { resource: 'messages', event: 'created', data: null }],
  ])('is missing for %s', (_what, body) => {
    expect(read(body).statement?.()).toBeUndefined();
  });
});

it.each([
  ['', 'malformed_json'],
  ['{"resource":"messages"', 'malformed_json'],
  ['['.repeat(100_000), 'json_too_deep'],
  ['[]', 'malformed_request'],
  ['null', 'malformed_request'],
  ['{"resource":"messages"}', 'malformed_request'],
  ['{"resource":"","event":"created"}', 'malformed_request'],
  ['{"resource":"messages","event":{}}', 'malformed_request'],
])('refuses %.40j as %s', (body, code) => {
  expect(codeOf(() => read(body))).toBe(code);
});

it('takes any names, and belongs to nobody where it names none', () => {
  const event = read({ resource: 'x'.repeat(200), event: 'a\u0000b', createdBy: 1, orgId: '' });
  expect(event.eventType).toHaveLength(128);
  expect(event.identity).toBeUndefined();
  expect(event.data.toString()).toBe('null');
});
