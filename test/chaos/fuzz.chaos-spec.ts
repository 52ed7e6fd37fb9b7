import { createHmac, randomInt, randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import { ENGINE_SETS } from '../support/engines';
import { eventually } from '../support/eventually';
import { signatureOf } from '../support/facebook-sender';
import { ADMIN_KEY, type Gateway } from '../support/gateway';
import { type Received, Receiver } from '../support/receiver';
import { gatewayOn } from './gateway-on';
import { hashOf, mutate, mutateHeaders, randomOf } from './mutations';
import { SCALE } from './scale';

const MEBIBYTE = 1_048_576;
const PARALLEL = 16;
/** `CHAOS_SEED` repeats a run. */
const SEED = Number(process.env.CHAOS_SEED ?? randomInt(2 ** 31));

interface Accepted {
  body: Buffer;
  /** REST told that it had come before: nothing more is owed for it. */
  duplicate: boolean;
}

describe.each(ENGINE_SETS)('Mutated requests, on %s', (set) => {
  let gateway: Gateway;
  let close: () => Promise<void>;
  let receiver: Receiver;
  let pool: Pool;

  beforeAll(async () => {
    [{ gateway, close }, receiver] = await Promise.all([gatewayOn(set), Receiver.start()]);
    pool = new Pool(gateway.url, { connections: PARALLEL });
  });
  afterAll(async () => {
    await pool?.destroy();
    await close?.();
    await receiver?.stop();
  });

  it(`${SCALE.mutations} of them: no 5xx but 503, what is accepted arrives byte for byte, memory bounded`, async () => {
    const random = randomOf(SEED);
    const { secret } = await gateway.subscribe(receiver.url, { properties: { body: 'raw' } });
    const accepted: Accepted[] = [];
    const statuses = new Map<number, number>();
    const wrong: string[] = [];
    let before = 0;
    let left: number = SCALE.mutations;
    const send = async (): Promise<void> => {
      while (left-- > 0) {
        const isRest = random() < 0.4;
        const { status, body, text } = await post(isRest ? '/api/v1/events' : '/facebook', isRest, random);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status >= 500 && status !== 503) wrong.push(`${status} for ${body.toString('base64').slice(0, 2_000)}: ${text}`);
        if (status === 200 || status === 202) accepted.push({ body, duplicate: text.includes('"duplicate":true') });
        if (left === Math.floor(SCALE.mutations / 2)) before = await gateway.metric('process_resident_memory_bytes');
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, send));
    const growth = (await gateway.metric('process_resident_memory_bytes')) - before;
    console.log(`${set}, seed ${SEED}: ${[...statuses].map(([status, count]) => `${count} × ${status}`).join(', ')}`);
    expect(wrong).toEqual([]);
    expect(statuses.get(0)).toBeUndefined();
    expect(accepted.length).toBeGreaterThan(SCALE.mutations / 20);

    await gateway.settled(120_000);
    await eventually('the queues are empty', async () => {
      const { door } = await gateway.must(200, 'GET', '/api/v1/ledger');
      return door.confirmed <= door.dispatched;
    });
    const total = await gateway.settled(120_000);
    expect(total).toMatchObject({ dead: 0, cancelled: 0, filtered: 0 });
    const arrived = new Set(receiver.received.map(({ body }) => hashOf(body)));
    const missing = accepted.filter(({ body, duplicate }) => !duplicate && holdsOneEvent(body) && !arrived.has(hashOf(body)));
    expect(missing.map(({ body }) => body.toString('base64'))).toEqual([]);
    // What a request of several events becomes are pieces of it; nothing else may come.
    const whole = new Set(accepted.map(({ body }) => hashOf(body)));
    const several = accepted.filter(({ body }) => !holdsOneEvent(body));
    const strange = receiver.received.filter(({ body }) => !whole.has(hashOf(body)) && !several.some((sent) => sent.body.includes(body)));
    expect(strange.map(({ body }) => body.toString('base64'))).toEqual([]);
    expect(receiver.received.filter((request) => !isSigned(request, secret))).toEqual([]);
    expect(growth).toBeLessThan(100 * MEBIBYTE);
    expect((await gateway.get('/health/ready')).status).toBe(200);
    expect(gateway.log).not.toMatch(/unhandled|Nobody handled/i);
  }, 400_000);

  async function post(path: string, isRest: boolean, random: () => number): Promise<{ status: number; body: Buffer; text: string }> {
    const body = mutate(Buffer.from(isRest ? publication() : envelope()), random);
    const credential = isRest ? { authorization: `Bearer ${ADMIN_KEY}` } : { 'x-hub-signature-256': signatureOf(body) };
    const plain = { headers: { 'content-type': 'application/json', ...credential }, body };
    const sent = random() < 0.2 ? mutateHeaders(plain, random) : plain;
    try {
      const response = await pool.request({ method: 'POST', path, ...sent });
      return { status: response.statusCode, body, text: await response.body.text() };
    } catch (error) {
      // A header that cannot be sent is the test's own fault; anything else is an answer that did not come.
      if ((error as { code?: string }).code?.startsWith('UND_ERR_INVALID')) return { status: -1, body, text: '' };
      return { status: 0, body, text: '' };
    }
  }
});

const publication = (): string =>
  `{"application":"shop","eventType":"paid","id":"${randomUUID()}","message":{"n":12345678901234567890,"t":"~"}}`;

const envelope = (): string =>
  `{"object":"page","entry":[{"id":"1","time":1458692752478,"messaging":[{"sender":{"id":"2"},"timestamp":1458692752001,` +
  `"message":{"mid":"${randomUUID()}","n":12345678901234567890,"text":"~"}}]}]}`;

/** By the bytes: the standardwebhooks package reads them as UTF-8 first, which not all of these are. */
function isSigned({ headers, body }: Received, secret: string): boolean {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const hmac = createHmac('sha256', key).update(`${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.`);
  return headers['webhook-signature'] === `v1,${hmac.update(body).digest('base64')}`;
}

/** As JSON.parse reads it. A name that comes twice may be read otherwise, so such bodies are not held to it. */
function holdsOneEvent(body: Buffer): boolean {
  const text = body.toString();
  for (const name of ['entry', 'messaging', 'changes', 'standby', 'changed_fields']) if (text.split(`"${name}"`).length > 2) return false;
  const parsed = JSON.parse(text) as { entry?: { messaging?: unknown; changes?: unknown; standby?: unknown }[] };
  if (!Array.isArray(parsed.entry)) return !('entry' in parsed);
  const lists = parsed.entry.flatMap((page) => [page?.messaging, page?.changes, page?.standby]);
  return lists.reduce((sum: number, list) => sum + (Array.isArray(list) ? list.length : 0), 0) === 1;
}
