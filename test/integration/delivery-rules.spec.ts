import { ENGINES } from '../conformance/storage/engines';
import { DeliveryRig } from './delivery-rig';

/** Seconds of the schedule's one wait. */
const WAIT = 100;

/** What a receiver answers, and within which seconds from the attempt the next one is due. */
const CASES: { status: number; retryAfter?: string; from: number; to: number }[] = [
  ...[429, 502, 503, 504].flatMap((status) => [
    { status, from: 80, to: 120 },
    { status, retryAfter: '150', from: 150, to: 170 },
    { status, retryAfter: '1', from: WAIT, to: 120 },
    { status, retryAfter: '86400', from: 2 * WAIT, to: 2 * WAIT },
    { status, retryAfter: 'soon', from: 80, to: 120 },
  ]),
  ...[300, 301, 302, 303, 307, 308, 400, 401, 404, 408, 413, 500, 501, 505].map((status) => ({
    status,
    retryAfter: '150',
    from: 80,
    to: 120,
  })),
];

describe.each(ENGINES)('what a receiver’s answer does to the schedule, on $engine', (engine) => {
  let rig: DeliveryRig;

  beforeAll(async () => {
    rig = await DeliveryRig.create(engine);
    await rig.boot();
  });
  afterAll(() => rig?.close());

  it.each(CASES)('$status with Retry-After $retryAfter: due after $from to $to s', async ({ status, retryAfter, from, to }) => {
    const receiver = await rig.receiver();
    receiver.answer = () => ({
      status,
      headers: { location: receiver.url, ...(retryAfter !== undefined && { 'retry-after': retryAfter }) },
    });
    const type = `${status}-${retryAfter}`;
    const { id } = await rig.endpoint(type, { url: receiver.url, retry_schedule: `[${WAIT}]` });
    await rig.send(type);
    await rig.reached(id, { waiting: 1 });
    const [delivery] = await rig.deliveriesTo(id);
    const [attempt] = await rig.attemptsOf(delivery?.id ?? '');
    // Counted from when the result was written, which is at most the attempt's end and a group's wait after it.
    const dueMs = Number(delivery?.next_attempt_at) - Number(attempt?.at);
    expect(dueMs).toBeGreaterThanOrEqual(from * 1_000);
    expect(dueMs).toBeLessThanOrEqual(to * 1_000 + 20_000);
    expect(receiver.received).toHaveLength(1);
  });

  it('does not come twice to the one who says 410', async () => {
    const receiver = await rig.receiver();
    receiver.answer = () => ({ status: 410, headers: { 'retry-after': '1' } });
    const { id } = await rig.endpoint('gone', { url: receiver.url });
    await rig.send('gone');
    await rig.reached(id, { cancelled: 1 });
    expect(await rig.deliveriesTo(id)).toMatchObject([{ reason: 'endpoint_gone', next_attempt_at: null }]);
    expect(receiver.received).toHaveLength(1);
  });

  it('spreads what failed together by a fifth both ways', async () => {
    const receiver = await rig.receiver();
    receiver.answer = () => ({ status: 500 });
    const { id } = await rig.endpoint('jitter', { url: receiver.url, retry_schedule: `[${WAIT}]` });
    await rig.send('jitter', 200);
    await rig.reached(id, { waiting: 200 });
    const waits = (await rig.deliveriesTo(id)).map((row) => Number(row.next_attempt_at) - Number(row.created_at));
    // Of 200 draws from 80 to 120 s, some lie in each outer quarter but once in 10^24.
    expect(waits.filter((ms) => ms < 90_000).length).toBeGreaterThan(0);
    expect(waits.filter((ms) => ms > 110_000).length).toBeGreaterThan(0);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(80_000);
  });
});
