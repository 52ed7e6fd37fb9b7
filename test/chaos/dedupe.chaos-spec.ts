import { randomUUID } from 'node:crypto';
import { ENGINE_SETS } from '../support/engines';
import { eventually } from '../support/eventually';
import { batchOf, FacebookSender, newMessageId } from '../support/facebook-sender';
import type { Gateway } from '../support/gateway';
import { Receiver } from '../support/receiver';
import { gatewayOn } from './gateway-on';
import { SCALE } from './scale';

describe.each(ENGINE_SETS)('The same event again and again, on %s', (set) => {
  let gateway: Gateway;
  let close: () => Promise<void>;
  let receiver: Receiver;
  let sender: FacebookSender;

  beforeAll(async () => {
    [{ gateway, close }, receiver] = await Promise.all([gatewayOn(set), Receiver.start()]);
    sender = new FacebookSender(gateway.url);
  });
  afterAll(async () => {
    await sender?.close();
    await close?.();
    await receiver?.stop();
  });

  it(`${SCALE.sameAtOnce} times at once, and after a kill -9: every answer is a 2xx, one delivery for each account`, async () => {
    const accounts = [await gateway.newAccount(), await gateway.newAccount()];
    for (const { accountId } of accounts) await gateway.subscribe(`${receiver.url}/${accountId}`, { accountId });
    const [first, second] = accounts;
    const id = randomUUID();
    const mid = newMessageId();
    const sendAll = async (): Promise<void> => {
      const sendings = Array.from({ length: SCALE.sameAtOnce }, async (_, index) => {
        const event = { application: 'shop', eventType: 'paid', id, message: 1, accountId: accounts[index % 2]?.accountId };
        expect((await gateway.call('POST', '/api/v1/events', event)).status).toBe(202);
        expect((await sender.post(batchOf([mid], first?.pageId))).status).toBe(200);
      });
      await Promise.all(sendings);
    };
    await sendAll();
    await gateway.kill();
    gateway.start();
    await gateway.becomesReady();
    await sendAll();
    await gateway.kill();
    gateway.start();
    await gateway.becomesReady();
    await sender.post(batchOf([newMessageId()], 'nobody')); // the door still works
    const requests = SCALE.sameAtOnce * 2;
    await eventually('everything is booked', async () => (await gateway.settled()).accepted === 2 * requests + 1);

    const found = receiver.received.map(({ path, body }) => {
      const { data } = JSON.parse(body.toString()) as { data: { message?: { mid: string } } };
      return `${path.split('/').at(-1)} ${data.message?.mid ?? JSON.stringify(data)}`;
    });
    // A kill may cut off an attempt, which then comes again; it is still the same delivery.
    expect([...new Set(found)].sort()).toEqual([`${first?.accountId} 1`, `${first?.accountId} ${mid}`, `${second?.accountId} 1`].sort());
    expect(new Set(receiver.received.map((request) => `${request.path} ${request.id}`)).size).toBe(3);
    const { accepted, delivered, duplicate, filtered } = await gateway.settled();
    expect({ accepted, delivered, duplicate, filtered }).toEqual({
      accepted: 2 * requests + 1,
      delivered: 3,
      duplicate: 2 * requests - 3,
      filtered: 1,
    });
  }, 120_000);
});
