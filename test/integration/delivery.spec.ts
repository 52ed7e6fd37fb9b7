import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { ENGINES } from '../conformance/storage/engines';
import { eventually } from '../support/eventually';
import { DeliveryRig } from './delivery-rig';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const OLD_SECRET = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;

describe.each(ENGINES)('delivery on $engine', (engine) => {
  let rig: DeliveryRig;

  beforeAll(async () => {
    rig = await DeliveryRig.create(engine);
    await rig.boot();
  });
  afterAll(() => rig.close());

  /** The single delivery to the endpoint, once its status is so. */
  const delivery = async (endpointId: string, status: string) => {
    await rig.reached(endpointId, { [status]: 1 });
    const [row] = await rig.deliveriesTo(endpointId);
    if (!row) throw new Error('There is no delivery');
    return { ...row, attempts: await rig.attemptsOf(row.id) };
  };

  it('delivers an event signed, and records the attempt', async () => {
    const receiver = await rig.receiver();
    receiver.secrets = [SECRET];
    receiver.answer = () => ({ status: 200, body: 'thanks' });
    const endpoint = await rig.endpoint('plain', { url: receiver.url, secret: SECRET, headers: '{"X-Team":"blue"}' });
    const [eventId] = await rig.send('plain', 1, { context: Buffer.from('{"object":"page"}') });

    const { attempts, ...row } = await delivery(endpoint.id, 'delivered');
    expect(row).toMatchObject({ attempt_count: 1, next_attempt_at: null, leased_by: null, lease_until: null, reason: null });
    expect(attempts).toMatchObject([{ number: 1, status: 'succeeded', code: '200', address: '127.0.0.1', delivery_id: row.id }]);
    expect(Buffer.from(attempts[0]?.response_head ?? []).toString()).toBe('thanks');
    expect(receiver.received).toMatchObject([
      { id: eventId, verified: true, headers: { 'x-team': 'blue', 'content-type': 'application/json' } },
    ]);
    expect(receiver.bodies).toMatchObject([
      { id: eventId, type: 'facebook.plain', accountId: 'default', level: null, context: { object: 'page' } },
    ]);
    expect(receiver.received[0]?.body.toString()).toContain('"data":{"text":"hello","n":12345678901234567890}');
  });

  it('sends the sender’s own bytes where the endpoint wants them', async () => {
    const receiver = await rig.receiver();
    receiver.secrets = [SECRET];
    const endpoint = await rig.endpoint('raw', { url: receiver.url, secret: SECRET, properties: '{"body":"raw"}' });
    const body = Buffer.from([0x7b, 0xc3, 0xbc, 0x00, 0x0d, 0x0a, 0x7d]);
    await rig.send('raw', 1, { body, data: Buffer.from('1'), contentType: 'application/x-thing' });
    await delivery(endpoint.id, 'delivered');
    expect(receiver.received).toMatchObject([{ body, verified: true, headers: { 'content-type': 'application/x-thing' } }]);
  });

  it('signs with both secrets during a rotation', async () => {
    const receiver = await rig.receiver();
    receiver.secrets = [OLD_SECRET];
    const rotation = { secret: SECRET, previous_secret: OLD_SECRET, previous_secret_until: Date.now() + 60_000 };
    const endpoint = await rig.endpoint('rotated', { url: receiver.url, ...rotation });
    await rig.send('rotated');
    await delivery(endpoint.id, 'delivered');
    expect(receiver.received).toMatchObject([{ verified: true }]);
  });

  it('tries again by the schedule, with the same webhook-id, and then succeeds', async () => {
    const receiver = await rig.receiver();
    receiver.answer = (_, count) => ({ status: count < 3 ? 500 : 204, body: count < 3 ? 'not now' : '' });
    const endpoint = await rig.endpoint('retried', { url: receiver.url, retry_schedule: '[0.1,0.1,0.1]' });
    const [eventId] = await rig.send('retried');
    const { attempts } = await delivery(endpoint.id, 'delivered');
    expect(attempts).toMatchObject([
      { number: 1, status: 'failed', code: '500' },
      { number: 2, status: 'failed', code: '500' },
      { number: 3, status: 'succeeded', code: '204', response_head: null },
    ]);
    expect(receiver.received.map((request) => request.id)).toEqual([eventId, eventId, eventId]);
  });

  it('honours Retry-After within the bounds of the schedule', async () => {
    const receiver = await rig.receiver();
    receiver.answer = () => ({ status: 503, headers: { 'retry-after': '86400' } });
    const endpoint = await rig.endpoint('throttled', { url: receiver.url, retry_schedule: '[3600]' });
    const sentAt = Date.now();
    await rig.send('throttled');
    const { next_attempt_at: next } = await delivery(endpoint.id, 'waiting');
    expect(next).toBeGreaterThanOrEqual(sentAt + 7_200_000);
    expect(next).toBeLessThanOrEqual(Date.now() + 7_200_000);
  });

  it('waits by the schedule with a jitter of a fifth', async () => {
    const receiver = await rig.receiver();
    receiver.answer = () => ({ status: 500, headers: { 'retry-after': '1' } });
    const endpoint = await rig.endpoint('jittered', { url: receiver.url, retry_schedule: '[3600]' });
    const sentAt = Date.now();
    await rig.send('jittered', 20);
    await rig.reached(endpoint.id, { waiting: 20 });
    const times = (await rig.deliveriesTo(endpoint.id)).map((row) => row.next_attempt_at ?? 0);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(sentAt + 0.8 * 3_600_000);
    expect(Math.max(...times)).toBeLessThanOrEqual(Date.now() + 1.2 * 3_600_000);
    expect(new Set(times).size).toBeGreaterThan(1);
  });

  it.each([
    { title: 'answers 500', answer: { status: 500 }, code: '500' },
    { title: 'redirects', answer: { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, code: '302' },
    { title: 'never answers', answer: undefined, code: 'timeout' },
  ])('gives up after the schedule where the receiver $title', async ({ answer, code }) => {
    const receiver = await rig.receiver();
    receiver.answer = () => answer;
    const endpoint = await rig.endpoint(`dead-${code}`, { url: receiver.url, retry_schedule: '[0.1]', timeout_ms: 200 });
    await rig.send(`dead-${code}`);
    const { attempts, ...row } = await delivery(endpoint.id, 'dead');
    expect(row).toMatchObject({ attempt_count: 2, reason: code, dead_class: 'receiver', next_attempt_at: null });
    expect(row.settled_at).not.toBeNull();
    expect(attempts).toMatchObject([
      { code, status: 'failed' },
      { code, status: 'failed' },
    ]);
  });

  it('gives up after a refused connection', async () => {
    const receiver = await rig.receiver();
    const { url } = receiver;
    await receiver.stop();
    receiver.stop = () => Promise.resolve();
    const endpoint = await rig.endpoint('nobody', { url, retry_schedule: '[]' });
    await rig.send('nobody');
    const { attempts, ...row } = await delivery(endpoint.id, 'dead');
    expect(row).toMatchObject({ reason: 'connection_refused', dead_class: 'receiver' });
    expect(attempts).toMatchObject([{ address: null, response_head: null }]);
  });

  it('keeps 4 KiB of a huge answer', async () => {
    const receiver = await rig.receiver();
    receiver.answer = () => ({ status: 200, body: 'z'.repeat(5_000_000) });
    const endpoint = await rig.endpoint('huge', { url: receiver.url });
    await rig.send('huge');
    const { attempts } = await delivery(endpoint.id, 'delivered');
    expect(attempts).toMatchObject([{ code: '200' }]);
    expect(Buffer.from(attempts[0]?.response_head ?? []).toString()).toBe('z'.repeat(4_096));
  });

  it('never connects to a refused address', async () => {
    let connections = 0;
    const canary = createServer((socket) => {
      connections += 1;
      socket.destroy();
    }).listen(0, '::1');
    await once(canary, 'listening');
    const { port } = canary.address() as AddressInfo;
    const urls = [`http://[::1]:${port}/`, `http://[::ffff:169.254.169.254]:${port}/`, `http://169.254.169.254/`, `ftp://[::1]:${port}/`];
    for (const [index, url] of urls.entries()) {
      const endpoint = await rig.endpoint(`refused-${index}`, { url, retry_schedule: '[]' });
      await rig.send(`refused-${index}`);
      const { attempts, ...row } = await delivery(endpoint.id, 'dead');
      expect(row).toMatchObject({ reason: 'address_refused', dead_class: 'pipeline' });
      expect(attempts).toMatchObject([{ code: 'address_refused', address: null, response_head: null }]);
    }
    expect(connections).toBe(0);
    canary.close();
  });

  it('is dead in the pipeline when its event is no more', async () => {
    const receiver = await rig.receiver();
    receiver.answer = () => ({ status: 500 });
    const endpoint = await rig.endpoint('lost', { url: receiver.url, retry_schedule: '[3600]' });
    const [eventId = ''] = await rig.send('lost');
    await rig.reached(endpoint.id, { waiting: 1 });
    await rig.storage.db.deleteFrom('events').where('id', '=', eventId).execute();
    await rig.makeDue(endpoint.id);
    const { attempts, ...row } = await delivery(endpoint.id, 'dead');
    expect(row).toMatchObject({ reason: 'event_missing', dead_class: 'pipeline', attempt_count: 1 });
    expect(attempts).toHaveLength(1);
  });

  it('counts an event with several endpoints once, dead over delivered', async () => {
    const [good, bad] = [await rig.receiver(), await rig.receiver()];
    bad.answer = () => ({ status: 400 });
    const before = await rig.ledger();
    const first = await rig.endpoint('shared', { url: good.url });
    const second = await rig.endpoint('shared', { url: bad.url, retry_schedule: '[]' });
    await rig.send('shared', 50);
    await rig.reached(first.id, { delivered: 50 });
    await rig.reached(second.id, { dead: 50 });
    const after = await rig.ledger();
    expect(after).toEqual({ ...before, accepted: (before.accepted ?? 0) + 50, dead: (before.dead ?? 0) + 50 });
  });

  it('frees every slot in the end', async () => {
    await eventually('nothing is in hand', () => rig.runner.inHandSince(Infinity).length === 0);
    expect(rig.runner.slots.free).toBe(1_024);
    expect(rig.runner.slots.freeBytes).toBe(134_217_728);
  });
});
