import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { acquireEngines, ENGINE_SETS, type Engines } from '../support/engines';
import { eventually } from '../support/eventually';
import { batchOf, FacebookSender, newMessageId, signatureOf } from '../support/facebook-sender';
import { Gateway, type Subscription, VERIFY_TOKEN } from '../support/gateway';
import { Receiver } from '../support/receiver';

const payload = (name: string): Buffer => readFileSync(join(__dirname, '..', 'fixtures', 'facebook', 'payloads', name));

describe.each(ENGINE_SETS)('Facebook in, endpoints out, on %s', (set) => {
  let engines: Engines;
  let gateway: Gateway;
  let sender: FacebookSender;
  let receiver: Receiver;

  beforeAll(async () => {
    engines = await acquireEngines(set);
    gateway = await Gateway.ready({
      ...engines.options,
      env: { HOOK_SERVER_FACEBOOK_APP_SECRET: 'the-app-secret-of-the-tests,the-next-secret-of-the-tests' },
    });
    sender = new FacebookSender(gateway.url);
  });
  afterAll(async () => {
    await sender?.close();
    await gateway?.remove();
    await engines?.release();
  });
  beforeEach(async () => {
    receiver = await Receiver.start();
  });
  afterEach(() => receiver.stop());

  /** An account with a page of its own, whose every event goes to the receiver. */
  async function subscribe(endpoint: object = {}): Promise<Subscription & { accountId: string; pageId: string }> {
    const { accountId, pageId } = await gateway.newAccount();
    const subscription = await gateway.subscribe(receiver.url, { accountId, ...endpoint });
    receiver.secrets = [subscription.secret];
    return { ...subscription, accountId, pageId };
  }

  const arrivals = (count: number): Promise<true> =>
    eventually(`${count} deliveries`, () => receiver.received.length >= count || undefined);

  it('answers the handshake with the challenge alone', async () => {
    const query = `hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=${VERIFY_TOKEN}`;
    const answer = await gateway.get(`/facebook?${query}`);
    expect(answer).toMatchObject({ status: 200, body: 1_158_201_444 });
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
  });

  it('delivers each item of a signed batch once, signed', async () => {
    const { accountId, pageId } = await subscribe();
    const ids = [newMessageId(), newMessageId(), newMessageId()];
    expect(await sender.post(batchOf(ids, pageId))).toMatchObject({ status: 200, text: 'EVENT_RECEIVED' });
    await arrivals(3);
    await gateway.drained();
    expect(receiver.received).toHaveLength(3);
    expect(receiver.received.every((request) => request.verified)).toBe(true);
    expect(receiver.bodies.map((body) => body.data.message.mid as string).sort()).toEqual([...ids].sort());
    expect(receiver.bodies[0]).toMatchObject({
      id: receiver.received[0]?.id,
      type: 'facebook.message',
      accountId,
      application: 'facebook',
      eventType: 'message',
      context: { object: 'page', entryId: pageId, entryTime: 1_458_692_752_478 },
      data: { recipient: { id: pageId }, message: { text: 'hello' } },
    });
  });

  it('shows the event with its delivery and attempt', async () => {
    const { id, pageId } = await subscribe();
    await sender.send([newMessageId()], pageId);
    await arrivals(1);
    await gateway.drained();
    const event = await gateway.must(200, 'GET', `/api/v1/events/${receiver.received[0]?.id}`);
    expect(event.deliveries).toMatchObject([{ endpointId: id, status: 'delivered', attemptCount: 1, nextAttemptAt: null }]);
    expect(event.deliveries[0].attempts).toMatchObject([{ status: 'succeeded', code: '204', address: '127.0.0.1' }]);
  });

  it('takes the next secret while secrets are rotated', async () => {
    const { pageId } = await subscribe();
    const body = batchOf([newMessageId()], pageId);
    const answer = await sender.post(body, { 'x-hub-signature-256': signatureOf(body, 'the-next-secret-of-the-tests') });
    expect(answer.status).toBe(200);
    await arrivals(1);
  });

  it('delivers an item that comes again once', async () => {
    const { accountId, pageId } = await subscribe();
    const id = newMessageId();
    const again = newMessageId();
    await sender.send([id, id], pageId);
    await sender.send([id], pageId);
    await Promise.all([again, again, again, again].map((mid) => sender.send([mid], pageId)));
    await arrivals(2);
    await gateway.drained();
    expect(receiver.bodies.map((body) => body.data.message.mid as string).sort()).toEqual([id, again].sort());
    const { data } = await gateway.must(200, 'GET', `/api/v1/events?accountId=${accountId}`);
    expect(data).toHaveLength(2);
  });

  it('delivers the same item to two accounts that both have it', async () => {
    const first = await subscribe();
    const { secret } = first;
    const second = await subscribe();
    receiver.secrets.push(secret);
    const mid = newMessageId();
    await sender.send([mid], first.pageId);
    await sender.send([mid], second.pageId);
    await arrivals(2);
    expect(new Set(receiver.bodies.map((body) => body.accountId))).toEqual(new Set([first.accountId, second.accountId]));
  });

  it('sends the bytes of each item as they came, numbers of any length among them', async () => {
    const { pageId } = await subscribe();
    const item = `{ "sender":{"id":12345678901234567890}, "message":{"mid":"${newMessageId()}","n":1.10e+2,"text":"\\u00e4\\/ä\\u0000"} }`;
    await sender.post(`{"object":"page","entry":[{"id":"${pageId}","time":1,"messaging":[${item},{"read":{"watermark":1}}]}]}`);
    await arrivals(2);
    expect(receiver.received.some((request) => request.body.includes(`"data":${item}`))).toBe(true);
  });

  it('sends the whole body of a request with one event where the endpoint wants it raw', async () => {
    const { pageId } = await subscribe({ properties: { body: 'raw' } });
    const body = `{"object":"page",  "entry":[{"id":"${pageId}","time":12345678901234567890,"messaging":[{"message":{"mid":"${newMessageId()}"}}]}]}\n`;
    await sender.post(body, { 'content-type': 'application/json; charset=utf-8' });
    await arrivals(1);
    expect(receiver.received[0]?.body.toString()).toBe(body);
    expect(receiver.received[0]?.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(receiver.received[0]?.verified).toBe(true);
  });

  it('keeps 20 digits sent to POST /api/v1/events', async () => {
    const { accountId } = await subscribe();
    const event = `{"accountId":"${accountId}","application":"shop","eventType":"paid","message":{"order":12345678901234567890}}`;
    const { status, body } = await gateway.call('POST', '/api/v1/events', event);
    expect({ status, body }).toEqual({ status: 202, body: { id: expect.any(String), duplicate: false } });
    await arrivals(1);
    expect(receiver.received[0]?.id).toBe(body.id);
    expect(receiver.received[0]?.body.toString()).toContain('"data":{"order":12345678901234567890}');
  });

  it('takes a gzipped body', async () => {
    const { pageId } = await subscribe();
    const packed = gzipSync(batchOf([newMessageId()], pageId));
    const plain = batchOf([newMessageId()], pageId);
    const signed = gzipSync(plain);
    expect((await sender.post(signed, { 'content-encoding': 'gzip', 'x-hub-signature-256': signatureOf(plain) })).status).toBe(200);
    expect((await sender.post(packed, { 'content-encoding': 'gzip', 'x-hub-signature-256': 'sha256=00' })).status).toBe(401);
    await arrivals(1);
  });

  it('tries again after a failure, with the same webhook-id and a signature of its own time', async () => {
    const { pageId } = await subscribe({ retrySchedule: [1, 1] });
    receiver.answer = (_request, count) => ({ status: count < 3 ? 500 : 200, body: 'not yet' });
    await sender.send([newMessageId()], pageId);
    await arrivals(3);
    const [first, , third] = receiver.received;
    expect(new Set(receiver.received.map((request) => request.id)).size).toBe(1);
    expect(receiver.received.every((request) => request.verified)).toBe(true);
    expect(Number(third?.headers['webhook-timestamp'])).toBeGreaterThan(Number(first?.headers['webhook-timestamp']));
    await gateway.drained();
    const event = await gateway.must(200, 'GET', `/api/v1/events/${first?.id}`);
    expect(event.deliveries).toMatchObject([{ status: 'delivered', attemptCount: 3 }]);
    expect((event.deliveries[0].attempts as { code: string }[]).map((attempt) => attempt.code)).toEqual(['500', '500', '200']);
  });

  it('gives a delivery up at the end of the schedule, and takes it up again when it is told to', async () => {
    const { id, pageId } = await subscribe({ retrySchedule: [0.1] });
    receiver.answer = (_request, count) => ({ status: count < 3 ? 500 : 200 });
    await sender.send([newMessageId()], pageId);
    const dead = await eventually('it is dead', async () => {
      const { data } = await gateway.must(200, 'GET', `/api/v1/deliveries?status=dead&endpointId=${id}`);
      return data[0] as { id: string } | undefined;
    });
    await gateway.call('POST', `/api/v1/deliveries/${dead.id}/retry`);
    await eventually('it is delivered', async () => {
      const delivery = await gateway.must(200, 'GET', `/api/v1/deliveries/${dead.id}`);
      return delivery.status === 'delivered' || undefined;
    });
  });

  it('disables an endpoint that is gone, and cancels what it is owed', async () => {
    const { id, pageId } = await subscribe();
    receiver.answer = () => ({ status: 410 });
    await sender.send([newMessageId()], pageId);
    const event = await eventually('it is cancelled', async () => {
      const { data } = await gateway.must(200, 'GET', `/api/v1/deliveries?status=cancelled&endpointId=${id}`);
      return data[0] as object | undefined;
    });
    expect(event).toMatchObject({ reason: 'endpoint_gone' });
    expect(await gateway.must(200, 'GET', `/api/v1/endpoints/${id}`)).toMatchObject({ enabled: false, disabledReason: 'endpoint_gone' });
  });

  it('reads every kind of item that the platform sends', async () => {
    const everything = await Receiver.start();
    try {
      const { secret, filterId } = await gateway.subscribe(everything.url, {}, { applications: ['facebook', 'instagram', 'whatsapp'] });
      everything.secrets = [secret];
      const names = [
        'meta_page_batch',
        'meta_page_feed_changes',
        'meta_instagram_message',
        'meta_whatsapp_message',
        'meta_whatsapp_status_batch',
      ];
      for (const name of names) expect((await sender.post(payload(`${name}.json`))).status).toBe(200);
      await eventually('all of them', () => everything.received.length >= 14 || undefined);
      await gateway.drained();
      const kinds = everything.bodies.map((body) => body.type).sort();
      expect([...new Set(kinds)]).toEqual([
        'facebook.delivery',
        'facebook.echo',
        'facebook.feed',
        'facebook.message',
        'facebook.postback',
        'facebook.reaction',
        'facebook.read',
        'instagram.message',
        'whatsapp.message',
        'whatsapp.status',
      ]);
      await gateway.must(204, 'DELETE', `/api/v1/filters/${filterId}`);
    } finally {
      await everything.stop();
    }
  });

  it('keeps what it accepts while processing is off, and delivers it once processing is on', async () => {
    const { pageId } = await subscribe();
    await gateway.terminate();
    gateway.start({ HOOK_SERVER_FACEBOOK_PROCESS_ENABLED: 'false' });
    await gateway.becomesReady();
    expect((await sender.send([newMessageId(), newMessageId()], pageId)).status).toBe(200);
    expect((await sender.send([newMessageId()], pageId)).status).toBe(200);
    await eventually('the depth is shown', async () => {
      return (await gateway.metric('hookline_queue_depth', { queue: 'webhooks.facebook.default' })) === 2 || undefined;
    });
    expect(receiver.received).toHaveLength(0);
    await gateway.terminate();
    gateway.start();
    await gateway.becomesReady();
    await arrivals(3);
  });

  it('is not there when the channel is switched off', async () => {
    await gateway.terminate();
    gateway.start({ HOOK_SERVER_FACEBOOK_ENABLED: 'false' });
    await gateway.becomesReady();
    expect((await sender.post(batchOf([newMessageId()]))).status).toBe(404);
    await gateway.terminate();
    gateway.start();
    await gateway.becomesReady();
  });

  it('accounts for everything it took in', async () => {
    const { accepted, delivered, filtered, duplicate, dead, cancelled, pending } = await gateway.drained();
    expect(pending).toBe(0);
    expect(accepted).toBe(delivered + filtered + duplicate + dead + cancelled + pending);
    expect(accepted).toBeGreaterThan(30);
  });
});
