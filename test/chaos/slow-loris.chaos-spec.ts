import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { ENGINE_SETS } from '../support/engines';
import { eventually } from '../support/eventually';
import { Rig } from './rig';
import { IS_FULL, SCALE } from './scale';

/** The defaults in full; in short so little that the test need not last. */
const SHORT_LIMITS = { HTTP_HEADERS_TIMEOUT_MS: '2000', HTTP_REQUEST_TIMEOUT_MS: '4000' };
/** The longest limit (30 s), the server's look for what has run out of time every 5 s, and a moment. */
const CLOSED_WITHIN_MS = 36_000;
const P99_MS = 500;

describe.each(ENGINE_SETS)('Slow senders, on %s', (set) => {
  let rig: Rig;

  beforeAll(async () => void (rig = await Rig.start({ engines: set, env: IS_FULL ? {} : SHORT_LIMITS })));
  afterAll(() => rig?.close());

  it(`${SCALE.slowSockets} connections with a byte a second: shut in time, and good senders do not notice`, async () => {
    const { sender, gateway } = rig;
    const heads = ['POST /facebook HTTP/1.1\r\nhost: x\r\nx-slow: ', 'POST /facebook HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{'];
    const open = new Set<Socket>();
    const all = Array.from({ length: SCALE.slowSockets }, (_, index) => {
      const socket = connect(gateway.port, '127.0.0.1', () => socket.write(heads[index % heads.length] ?? ''));
      const timer = setInterval(() => socket.write('x'), 1_000);
      open.add(socket);
      socket.resume(); // what is not read would hide the end
      return socket
        .on('error', () => undefined)
        .on('close', () => {
          clearInterval(timer);
          open.delete(socket);
        });
    });
    await eventually('all are connected', () => all.every((socket) => !socket.connecting));
    sender.startLoad({ requestsPerSecond: 50, parallel: 10, itemsPerRequest: 2 });
    await eventually('the slow ones are shut', () => open.size === 0, { deadlineMs: CLOSED_WITHIN_MS, everyMs: 100 });
    await wait(500); // a little more of the good traffic, for its own figure
    await sender.stopLoad();
    console.log(`${set}: ${sender.times.length} good requests, 99 of 100 in ${sender.p99Ms} ms`);
    expect([...sender.statuses.keys()]).toEqual(['facebook 200']);
    if (IS_FULL) expect(sender.p99Ms).toBeLessThan(P99_MS);
    await eventually('the slow ones and what is refused after them are listed', async () => {
      await gateway.call('POST', '/facebook', {}, { 'x-hub-signature-256': 'sha256=00' });
      const { data } = await gateway.must(200, 'GET', '/api/v1/requests?outcome=rejected&limit=1');
      return (data as { code: string }[])[0]?.code === 'signature_invalid';
    });
    await rig.expectNothingLost(`${set}, beside ${SCALE.slowSockets} slow senders`);
  }, 120_000);
});
