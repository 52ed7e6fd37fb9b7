import type { Broker, ConsumeOptions, IncomingMessage } from '../broker/broker';
import { GatewayError } from '../core/errors';
import type { IncomingRequest } from '../core/hook-event';
import type { DispatcherService } from '../dispatcher/dispatcher.service';
import type { Storage } from '../storage/storage';
import { StatementPublisher } from '../threads/statement-publisher';
import { Logger } from '@nestjs/common';
import { type Channel, Channels, type RawRequest } from './channel';
import { ChannelConsumer } from './channel-consumer';

const message = (id: string, body: string, headers: Record<string, string> = {}): IncomingMessage => ({
  id,
  queue: 'webhooks.facebook.default',
  exchange: 'webhooks',
  routingKey: 'webhooks.facebook.default',
  body: Buffer.from(body),
  headers,
  redeliveries: 0,
});

const channel: Channel = {
  name: 'test',
  isEnabled: false,
  isConfigured: false,
  isProcessing: true,
  lanes: [
    { name: 'default', queue: 'webhooks.facebook.default', workerCount: 2 },
    { name: 'spam', queue: 'webhooks.facebook.spam', workerCount: 1 },
  ],
  parse: ({ body, contentType }) => {
    if (body.toString() === 'poison') throw new GatewayError('malformed_json', 'no\u0000JSON');
    if (body.toString() === 'bug') throw new TypeError('x is not a function');
    return body.length === 0 ? [] : [{ application: 'test', eventType: 'test', data: body, body, contentType }];
  },
};

function setUp(options: { outage?: 'dispatch' | 'poison'; bug?: Error } = {}) {
  const dispatched: IncomingRequest[][] = [];
  const poison: string[] = [];
  const consumed: ConsumeOptions[] = [];
  const stopped: string[] = [];
  const away = new GatewayError('storage_unavailable');
  const dispatcher = {
    dispatch: (requests: IncomingRequest[]) => {
      dispatched.push(requests);
      if (options.bug) return Promise.reject(options.bug);
      return options.outage === 'dispatch' ? Promise.reject(away) : Promise.resolve([]);
    },
    recordPoison: (source: string, requestId: string) => {
      poison.push(`${source} ${requestId}`);
      return options.outage === 'poison' ? Promise.reject(away) : Promise.resolve();
    },
  } as unknown as DispatcherService;
  const broker = {
    consume: (consume: ConsumeOptions) => {
      consumed.push(consume);
      return Promise.resolve({ stop: (deadlineMs: number) => Promise.resolve(stopped.push(`${consume.queue} ${deadlineMs}`)) });
    },
  } as unknown as Broker;
  const channels = new Channels();
  const storage = { probe: () => Promise.resolve(true) } as unknown as Storage;
  const statements = new StatementPublisher({ enabled: false, retentionDays: 1 }, broker);
  const consumer = new ChannelConsumer(channels, broker, storage, dispatcher, statements);
  return { channels, consumer, dispatched, poison, consumed, stopped, statements };
}

beforeAll(() => {
  Logger.overrideLogger(false);
});

it('dispatches a group at once, each request with its id, its time and its events', async () => {
  const { consumer, dispatched } = setUp();
  const headers = { 'x-request-id': 'r1', 'x-received-at': '1700000000000', 'x-content-type': 'application/json; a=b' };
  const verdicts = await consumer.handle(channel, [message('m1', '{}', headers), message('m2', '')]);
  expect(verdicts).toEqual([{ kind: 'ack' }, { kind: 'ack' }]);
  expect(dispatched).toHaveLength(1);
  expect(dispatched[0]).toMatchObject([
    { requestId: 'r1', source: 'test', receivedAt: 1_700_000_000_000, events: [{ contentType: 'application/json; a=b' }] },
    { requestId: 'm2', source: 'test', events: [] },
  ]);
});

it('gives the reader back what else the request said', async () => {
  const { consumer } = setUp();
  const read: RawRequest[] = [];
  const parse = (request: RawRequest): [] => {
    read.push(request);
    return [];
  };
  await consumer.handle({ ...channel, parse }, [message('m1', '{}', { 'x-attribute-path': 'status' }), message('m2', '{}')]);
  expect(read.map(({ attributes }) => attributes)).toEqual([{ path: 'status' }, undefined]);
});

it('buries what can never be read, counts it, and dispatches the rest of its group', async () => {
  const { consumer, dispatched, poison } = setUp();
  const verdicts = await consumer.handle(channel, [message('m1', '1'), message('m2', 'poison'), message('m3', '3'), message('m4', 'bug')]);
  expect(verdicts).toEqual([
    { kind: 'ack' },
    { kind: 'dead', reason: 'malformed_json: no\ufffdJSON' },
    { kind: 'ack' },
    { kind: 'dead', reason: 'failed: TypeError: x is not a function' },
  ]);
  expect(poison).toEqual(['test m2', 'test m4']);
  expect(dispatched[0]?.map(({ requestId }) => requestId)).toEqual(['m1', 'm3']);
});

it('dispatches nothing for a group that is poison as a whole', async () => {
  const { consumer, dispatched } = setUp();
  await consumer.handle(channel, [message('m1', 'poison')]);
  expect(dispatched).toEqual([]);
});

it('gives no verdict while what was said cannot be handed on, and buries nothing then', async () => {
  const { consumer, poison, statements } = setUp();
  statements.publish = () => Promise.reject(new GatewayError('broker_unavailable'));
  const last = { ...message('m1', '1'), redeliveries: 29 };
  await expect(consumer.handle(channel, [last])).rejects.toMatchObject({ code: 'broker_unavailable' });
  expect(poison).toEqual([]);
});

it.each(['dispatch', 'poison'] as const)('gives no verdict while the storage is away in %s', async (outage) => {
  const { consumer } = setUp({ outage });
  await expect(consumer.handle(channel, [message('m1', '1'), message('m2', 'poison')])).rejects.toMatchObject({
    code: 'storage_unavailable',
  });
});

it.each<[string, Record<string, string>]>([
  ['nonsense', { 'x-received-at': 'soon' }],
  ['beyond all dates', { 'x-received-at': '9e15' }],
  ['negative', { 'x-received-at': '-1' }],
  ['missing', {}],
])('takes the present for a receive time that is %s', async (_what, headers) => {
  const { consumer, dispatched } = setUp();
  const before = Date.now();
  await consumer.handle(channel, [message('m1', '1', headers)]);
  expect(dispatched[0]?.[0]?.receivedAt).toBeGreaterThanOrEqual(before);
  expect(dispatched[0]?.[0]?.receivedAt).toBeLessThanOrEqual(Date.now());
});

it('makes a request id where a foreign message has none, and a fit one of any', async () => {
  const { consumer, dispatched } = setUp();
  await consumer.handle(channel, [message('', '1'), message('', '2', { 'x-request-id': `a\u0000${'x'.repeat(500)}` })]);
  const ids = dispatched[0]?.map(({ requestId }) => requestId);
  expect(ids?.[0]).toMatch(/^[0-9a-f-]{36}$/);
  expect(ids?.[1]).toBe(`a\ufffd${'x'.repeat(126)}`);
});

it('consumes each lane with its own workers, also of a channel whose door is shut, and stops them', async () => {
  const { channels, consumer, consumed, stopped } = setUp();
  channels.register(channel);
  await consumer.onApplicationBootstrap();
  expect(consumed.map(({ queue, concurrency }) => [queue, concurrency])).toEqual([
    ['webhooks.facebook.default', 2],
    ['webhooks.facebook.spam', 1],
  ]);
  expect(await consumed[0]?.isAvailable()).toBe(true);
  await consumer.beforeApplicationShutdown();
  await consumer.beforeApplicationShutdown();
  expect(stopped).toEqual(['webhooks.facebook.default 15000', 'webhooks.facebook.spam 15000']);
});

it('leaves the queues of a channel alone that is not processing', async () => {
  const { channels, consumer, consumed } = setUp();
  channels.register({ ...channel, isProcessing: false });
  await consumer.onApplicationBootstrap();
  expect(consumed).toEqual([]);
});

it('counts what fails alone for the last time as dead, and no sooner', async () => {
  const { consumer, poison } = setUp({ bug: new TypeError('x is not a function') });
  const tried = (redeliveries: number): IncomingMessage => ({ ...message('m1', '{}'), redeliveries });
  await expect(consumer.handle(channel, [tried(28)])).rejects.toThrow('x is not a function');
  expect(poison).toEqual([]);
  const verdicts = await consumer.handle(channel, [tried(29)]);
  expect(verdicts).toEqual([{ kind: 'dead', reason: 'failed: TypeError: x is not a function' }]);
  expect(poison).toEqual(['test m1']);
});
