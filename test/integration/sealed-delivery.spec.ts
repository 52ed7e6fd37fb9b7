import { ENGINES } from '../conformance/storage/engines';
import { testBox } from '../support/secret-box';
import { toRow, fromRow } from '../../src/dispatcher/registry/endpoint-record';
import { endpointRow } from '../support/registry-rows';
import { DeliveryRig } from './delivery-rig';

describe.each(ENGINES)('deliveries to sealed endpoints on $engine', (engine) => {
  let rig: DeliveryRig;

  beforeAll(async () => {
    rig = await DeliveryRig.create(engine);
    await rig.boot();
  });
  afterAll(() => rig?.close());

  it('carry what was sealed: signature, headers and authorization', async () => {
    const receiver = await rig.receiver();
    const plain = endpointRow({
      url: receiver.url,
      headers: '{"x-api-key":"hidden"}',
      auth: '{"type":"basic","username":"ü","password":"p:w"}',
    });
    receiver.secrets = [plain.secret];
    const { id } = await rig.endpoint('sealed', toRow(fromRow(plain, testBox), testBox));
    await rig.send('sealed');
    await rig.reached(id, { delivered: 1 });
    const [request] = receiver.received;
    expect(request).toMatchObject({
      verified: true,
      headers: { 'x-api-key': 'hidden', authorization: `Basic ${Buffer.from('ü:p:w').toString('base64')}` },
    });
  });

  it('wait by their schedule while nothing opens them, unsent, and go when it does', async () => {
    const [broken, sound] = [await rig.receiver(), await rig.receiver()];
    const plain = endpointRow({ url: broken.url });
    const sealed = toRow(fromRow(plain, testBox), testBox);
    const moved = testBox.seal(plain.secret, 'another row');
    const { id } = await rig.endpoint('mixed', { ...sealed, secret: moved });
    const other = await rig.endpoint('mixed', { url: sound.url });
    await rig.send('mixed', 20);
    await rig.reached(other.id, { delivered: 20 });
    await rig.reached(id, { waiting: 20 });
    for (const delivery of await rig.deliveriesTo(id)) {
      expect(delivery.next_attempt_at).toBeGreaterThan(delivery.created_at + 3_000);
      expect(await rig.attemptsOf(delivery.id)).toMatchObject([
        { number: 1, status: 'failed', code: 'secret_unreadable', address: null, response_head: null },
      ]);
    }
    expect(broken.received).toEqual([]);

    await rig.changeEndpoint(id, { secret: sealed.secret });
    broken.secrets = [plain.secret];
    await rig.makeDue(id);
    await rig.reached(id, { delivered: 20 });
    expect(broken.received.every((request) => request.verified)).toBe(true);
  });

  it('are dead in the pipeline when the schedule is spent', async () => {
    const { id } = await rig.endpoint('lost', { url: 'http://127.0.0.1:9/', secret: 'enc:v1:nokey:AAAA', retry_schedule: '[]' });
    await rig.send('lost');
    await rig.reached(id, { dead: 1 });
    expect(await rig.deliveriesTo(id)).toMatchObject([{ reason: 'secret_unreadable', dead_class: 'pipeline' }]);
  });
});
