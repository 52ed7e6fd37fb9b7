import { acquireEngines, ENGINE_SETS, type Engines } from '../support/engines';
import { eventually } from '../support/eventually';
import { batchOf, newMessageId } from '../support/facebook-sender';
import { Gateway } from '../support/gateway';
import { putIntoQueue, takeFromQueue } from '../support/queues';
import { Receiver } from '../support/receiver';

const QUEUE = 'webhooks.facebook.default';
const KINDS = ['{"object":"page","entry":[', '', '[]', '{"entry":'.repeat(100) + '1' + '}'.repeat(100), '\u0000\u0001'];
const OF_EACH = 50;
const POISON = Array.from({ length: OF_EACH }, () => KINDS).flat();

describe.each(ENGINE_SETS)('Poison messages on %s', (set) => {
  let engines: Engines;
  let gateway: Gateway;
  let receiver: Receiver;

  beforeAll(async () => {
    [engines, receiver] = await Promise.all([acquireEngines(set), Receiver.start()]);
    gateway = await Gateway.ready(engines.options);
  });
  afterAll(async () => {
    await gateway?.remove();
    await receiver?.stop();
    await engines?.release();
  });

  it(`${KINDS.length} kinds, ${OF_EACH} of each between good ones, end in the dead queue with their reason, and their neighbours are delivered`, async () => {
    await gateway.subscribe(receiver.url);
    await gateway.terminate();
    const ids = POISON.map(newMessageId);
    const bodies = POISON.flatMap((poison, index) => [batchOf([ids[index] ?? '']), poison]);
    await putIntoQueue(
      engines,
      gateway,
      QUEUE,
      bodies.map((body) => Buffer.from(body)),
    );

    gateway.start();
    await gateway.becomesReady();
    await eventually('the neighbours are delivered', () => receiver.received.length >= ids.length);
    await eventually('the poison is dead', async () => {
      return (await gateway.metric('hookline_queue_depth', { queue: `${QUEUE}.dead` })) === POISON.length;
    });
    const total = await gateway.settled();
    expect(total).toMatchObject({ accepted: ids.length + POISON.length, delivered: ids.length, dead: POISON.length, pending: 0 });
    expect(new Set(receiver.bodies.map((body) => body.data.message.mid as string))).toEqual(new Set(ids));

    await gateway.terminate();
    const dead = await takeFromQueue(engines, gateway, `${QUEUE}.dead`);
    expect(dead.map((message) => message.body.toString()).sort()).toEqual([...POISON].sort());
    for (const { headers } of dead) expect(headers['x-dead-reason']).toMatch(/\w+/);
  });
});
