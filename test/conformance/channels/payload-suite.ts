import { gzipSync } from 'node:zlib';
import { eventually } from '../../support/eventually';
import type { ChannelDescriptor, ExpectedEvent } from './channel-descriptor';
import {
  accountOf,
  ChannelRig,
  codeOf,
  type DoorAnswer,
  type ListedEvent,
  payloadNames,
  payloadOf,
  requestTo,
  sampleOf,
} from './channel-rig';

/** What the platform sends is accepted, read, delivered, and never delivered again. */
export function payloadSuite(descriptor: ChannelDescriptor): void {
  const { name, doors, payloads, repeated, sign } = descriptor;
  let rig: ChannelRig;

  afterEach(() => rig.close());

  it('has an expectation for each payload', async () => {
    rig = await ChannelRig.start(descriptor);
    expect(Object.keys(payloads).sort()).toEqual(payloadNames(name).sort());
  });

  it.each(Object.entries(payloads))('takes %s, delivers its events once, and takes it again', async (file, payload) => {
    const door = doors.find(({ path }) => path === (payload.door ?? doors[0].path))!;
    rig = await ChannelRig.start(descriptor);
    await rig.subscribe(payload.events.map(({ identity }) => identity));
    const request = sign(requestTo(door, payloadOf(name, file)));

    expectAnswer(await rig.send(request), door.answer);
    const first = await rig.settled(1);
    const events = await rig.events();
    expect(events.map(seen).sort()).toEqual(payload.events.map(wanted).sort());

    const again = await rig.send(request);
    if (repeated === undefined) {
      expectAnswer(again, door.answer);
      const second = await rig.settled(2);
      expect(second).toEqual({ ...first, accepted: 2 * first.accepted!, duplicate: first.duplicate! + first.accepted! });
    } else {
      expect([again.status, codeOf(again)]).toEqual([repeated.status, repeated.code]);
    }
    expect(await rig.events()).toEqual(events);
    expect(first.accepted! - first.duplicate!).toBe(events.length);
    expectDeliveredOnce(rig, events);
  });

  it.each(doors)('keeps the bytes of a request to $path until they are read', async (door) => {
    rig = await ChannelRig.start(descriptor, { [switchOf(name, 'PROCESS_ENABLED')]: 'false' });
    const body = sampleOf(descriptor, door);
    const answer = await rig.sendTo(door, body);
    const message = await takeOne(rig, `webhooks.${name}.default`);
    expect(message.body.equals(body)).toBe(true);
    expect(message.headers).toMatchObject({
      'x-request-id': answer.headers['x-request-id'],
      'x-received-at': expect.stringMatching(/^\d{13}$/),
      'x-content-type': door.contentType,
    });
  });

  it.each(doors)('takes a gzipped request to $path, signed over the plain bytes', async (door) => {
    rig = await ChannelRig.start(descriptor);
    const request = sign(requestTo(door, sampleOf(descriptor, door)));
    const zipped = { ...request, headers: { ...request.headers, 'content-encoding': 'gzip' }, body: gzipSync(request.body) };
    expectAnswer(await rig.send(zipped), door.answer);
  });

  it.each(doors)('takes a request to $path with a query of the operator’s own', async (door) => {
    rig = await ChannelRig.start(descriptor);
    const request = requestTo({ ...door, path: `${door.path}?tenant=a&tenant=b&__proto__=1&toString` }, sampleOf(descriptor, door));
    expectAnswer(await rig.send(sign(request)), door.answer);
  });
}

export const switchOf = (name: string, setting: string): string => `HOOK_SERVER_${name.toUpperCase()}_${setting}`;

function expectAnswer(answer: DoorAnswer, { status, contentType, body }: ChannelDescriptor['doors'][0]['answer']): void {
  expect([answer.status, answer.text]).toEqual([status, body]);
  if (contentType !== undefined) expect(answer.contentType).toMatch(contentType);
}

const wanted = ({ type, identity, timestamp = 'received', status = 'delivered' }: ExpectedEvent): string =>
  `${type} of ${accountOf(identity)} at ${timestamp}: ${status}`;

function seen({ application, eventType, accountId, timestamp, receivedAt, status }: ListedEvent): string {
  return `${application}.${eventType} of ${accountId} at ${timestamp === receivedAt ? 'received' : timestamp}: ${status}`;
}

function expectDeliveredOnce({ receiver }: ChannelRig, events: readonly ListedEvent[]): void {
  const delivered = events.filter(({ status }) => status === 'delivered').map(({ id }) => id);
  const received = receiver.received.filter(({ path }) => path === '/hooks').map(({ id }) => id);
  expect(received.sort()).toEqual(delivered.sort());
}

/** The next message of the queue, out of it. */
async function takeOne({ broker }: ChannelRig, queue: string): Promise<{ body: Buffer; headers: Readonly<Record<string, string>> }> {
  const taken: { body: Buffer; headers: Readonly<Record<string, string>> }[] = [];
  const consumption = await broker.consume({
    queue,
    concurrency: 1,
    isAvailable: () => Promise.resolve(true),
    handle: (group) => {
      taken.push(...group);
      return Promise.resolve(group.map(() => ({ kind: 'ack' as const })));
    },
  });
  const [message] = await eventually('a message', () => taken.length > 0 && taken);
  await consumption.stop(5_000);
  return message!;
}
