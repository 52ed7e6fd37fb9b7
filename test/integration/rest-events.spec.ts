import { eventually } from '../support/eventually';
import { Receiver } from '../support/receiver';
import { type Answer, ENGINES, RestApp, paths } from './rest-app';

const NO_ID = '019346a0-0000-7000-8000-000000000001';
const EVENTS = '/api/v1/events';
const event = (more: object = {}) => ({ application: 'shop', eventType: 'paid', message: { order: 1 }, ...more });

describe.each(ENGINES)('events over REST on %s', (engine) => {
  let app: RestApp;
  let receiver: Receiver;
  let keyA: string;
  let keyB: string;

  beforeAll(async () => {
    app = await RestApp.start(engine);
    receiver = await Receiver.start();
    keyA = await app.newAccount('a');
    keyB = await app.newAccount('b');
  });

  afterAll(async () => {
    await app?.close();
    await receiver?.stop();
  });

  const rows = async (account: string): Promise<number> =>
    (await app.storage.db.selectFrom('events').select('id').where('account_id', '=', account).execute()).length;

  it('delivers the message digit for digit, and shows it so', async () => {
    const key = await app.newAccount('digits');
    await app.subscribe(receiver.url, {}, { key });
    await app.subscribe(receiver.url, { properties: { body: 'raw' } }, { key });
    const message = '{ "n":12345678901234567890, "f":1.10e+400,\n "t":"\\u00e9\\/ü", "__proto__":{"admin":true} }';
    const body = `{"application":"shop","eventType":"paid","level":"info","timestamp":"2026-11-22T09:30:00+02:00","message": ${message}}`;
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    const published = await app.must(202, 'POST', EVENTS, body, { key, headers });
    expect(published).toEqual({ id: expect.any(String), duplicate: false });
    const came = await eventually('both arrive', () => {
      const found = receiver.received.filter((request) => request.id === published.id);
      return found.length === 2 && found.map((request) => request.body.toString());
    });
    expect(came.find((text) => text === body)).toBeDefined();
    const standard = came.find((text) => text !== body) as string;
    expect(standard).toContain(`"data":${message}`);
    expect(JSON.parse(standard)).toMatchObject({ id: published.id, type: 'shop.paid', accountId: 'digits', level: 'info' });

    await app.eventIs(published.id, 'delivered');
    const { text, body: shown } = await app.call('GET', `${EVENTS}/${published.id}`, undefined, { key });
    expect(text).toContain(`"data":${message}`);
    expect(shown).toMatchObject({
      id: published.id,
      accountId: 'digits',
      source: 'events',
      application: 'shop',
      eventType: 'paid',
      level: 'info',
      timestamp: '2026-11-22T09:30:00+02:00',
      status: 'delivered',
      filteredReason: null,
      context: null,
    });
    expect(shown.deliveries).toHaveLength(2);
    expect(shown.deliveries[0]).toMatchObject({
      id: expect.any(String),
      endpointId: expect.any(String),
      status: 'delivered',
      nextAttemptAt: null,
      attemptCount: 1,
      attempts: [
        {
          at: expect.stringMatching(/^\d{4}-.*Z$/),
          status: 'succeeded',
          code: '204',
          durationMs: expect.any(Number),
          address: '127.0.0.1',
          responseHead: null,
        },
      ],
    });
  });

  it.each(['null', '0', '"text"', '[1]', 'false'])('takes %s for a message', async (message) => {
    const { id } = await app.must(202, 'POST', EVENTS, `{"application":"a","eventType":"b","message":${message}}`);
    expect((await app.call('GET', `${EVENTS}/${id}`)).text).toContain(`"data":${message},`);
  });

  it('lets the admin name a new account, which appears with it', async () => {
    const { id } = await app.must(202, 'POST', EVENTS, event({ accountId: 'new-by-event' }));
    expect(await app.must(200, 'GET', `${EVENTS}/${id}`)).toMatchObject({ accountId: 'new-by-event' });
    await app.must(200, 'GET', '/api/v1/accounts/new-by-event');
    expect((await app.must(200, 'GET', `${EVENTS}/${(await app.must(202, 'POST', EVENTS, event())).id}`)).accountId).toBe('default');
  });

  it('knows a duplicate by its id, in its own account only', async () => {
    const first = await app.must(202, 'POST', EVENTS, event({ id: 'order-1' }), { key: keyA });
    expect(await app.must(202, 'POST', EVENTS, event({ id: 'order-1' }), { key: keyA })).toEqual({ id: first.id, duplicate: true });
    expect(await app.must(202, 'POST', EVENTS, event({ id: 'order-1' }), { key: keyB })).toMatchObject({ duplicate: false });
    const many = await Promise.all(
      Array.from({ length: 20 }, () => app.must(202, 'POST', EVENTS, event({ id: 'order-2' }), { key: keyA })),
    );
    expect(many.filter((answer) => !answer.duplicate)).toHaveLength(1);
    expect(new Set(many.map((answer) => answer.id)).size).toBe(1);
    await app.ledger();
  });

  it.each([
    [{ application: undefined }, 'application'],
    [{ eventType: '' }, 'eventType'],
    [{ message: undefined }, 'message'],
    [{ level: 3 }, 'level'],
    [{ timestamp: 'now' }, 'timestamp'],
    [{ id: 7 }, 'id'],
    [{ accountId: 'a b' }, 'accountId'],
    [{ acountId: 'a' }, 'acountId'],
  ])('refuses %j', async (more, path) => {
    const answer = await app.call('POST', EVENTS, event(more));
    expect(answer.body).toMatchObject({ status: 422, code: 'validation_failed' });
    expect(paths(answer)).toEqual([path]);
  });

  it('lists what it refused', async () => {
    const answer = await app.call('POST', EVENTS, event({ level: 3 }));
    await eventually('it is listed', async () => {
      const { data } = await app.must(200, 'GET', '/api/v1/requests?source=events');
      return (data as { requestId: string }[]).some((refusal) => refusal.requestId === answer.body.requestId);
    });
  });

  describe('batch', () => {
    const BATCH = `${EVENTS}/batch`;

    it.each(['array', 'object'])('takes an %s, with one answer an event', async (form) => {
      const events = [event({ id: `${form}-1` }), event({ id: `${form}-2` }), event({ id: `${form}-1` })];
      const { data } = await app.must(202, 'POST', BATCH, form === 'array' ? events : { events });
      expect(data.map((each: { duplicate: boolean }) => each.duplicate)).toEqual([false, false, true]);
      expect(data[2].id).toBe(data[0].id);
    });

    it('keeps digits and gives raw endpoints the message alone', async () => {
      const key = await app.newAccount('batch');
      await app.subscribe(receiver.url, { properties: { body: 'raw' } }, { key });
      const texts = ['{"n":12345678901234567890}', '[ 98765432109876543210 ]'];
      const items = texts.map((text) => `{"application":"a","eventType":"b","message":${text}}`);
      const { data } = await app.must(202, 'POST', BATCH, `[${items.join(',')}]`, { key });
      for (const [index, text] of texts.entries()) {
        const request = await eventually('it arrives', () => receiver.received.find(({ id }) => id === data[index].id));
        expect(request.body.toString()).toBe(text);
        expect(request.headers['content-type']).toBe('application/json');
      }
    });

    it('takes all or none, and names every problem', async () => {
      const key = await app.newAccount('all-or-none');
      const answer = await app.call('POST', BATCH, [event(), event({ level: 1 }), 7], { key });
      expect(answer.status).toBe(422);
      expect(paths(answer)).toEqual(['[1].level', '[2]']);
      const inObject = await app.call('POST', BATCH, { events: [{}], x: 1 }, { key });
      expect(paths(inObject)).toEqual(['x']);
      const others = await app.call('POST', BATCH, [event(), event({ accountId: 'b' })], { key });
      expect(others.status).toBe(404);
      expect(await rows('all-or-none')).toBe(0);
    });

    it.each([[[]], [{}], [{ events: {} }], [{ events: [] }], ['"x"']])('refuses %j', async (body) => {
      await app.must(422, 'POST', BATCH, body);
    });

    it('takes up to 1,000 events', async () => {
      const key = await app.newAccount('thousand');
      const { data } = await app.must(
        202,
        'POST',
        BATCH,
        Array.from({ length: 1_000 }, () => event()),
        { key },
      );
      expect(new Set(data.map((each: { id: string }) => each.id)).size).toBe(1_000);
      expect(await rows('thousand')).toBe(1_000);
      await app.must(
        422,
        'POST',
        BATCH,
        Array.from({ length: 1_001 }, () => event()),
        { key },
      );
    });
  });

  describe('Idempotency-Key', () => {
    const publish = (idempotencyKey: string, body: unknown, key = keyA, path = EVENTS): Promise<Answer> =>
      app.call('POST', path, body, { key, headers: { 'idempotency-key': idempotencyKey } });

    it('gives the same answer again, for one event and for a batch', async () => {
      const first = await publish('again', event({ id: 'idem-1' }));
      expect(first.body).toEqual({ id: expect.any(String), duplicate: false });
      expect((await publish('again', event({ id: 'idem-1' }))).body).toEqual(first.body);
      const batch = await publish('again-batch', [event(), event()], keyA, `${EVENTS}/batch`);
      expect(batch.body.data).toHaveLength(2);
      expect((await publish('again-batch', [event(), event()], keyA, `${EVENTS}/batch`)).body).toEqual(batch.body);
    });

    it('is refused with another body or at another route, and is each account’s own', async () => {
      const first = await publish('reused', event());
      expect((await publish('reused', event({ level: 'info' }))).body).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
      expect((await publish('reused', event(), keyA, `${EVENTS}/batch`)).status).toBe(422);
      const other = await publish('reused', event({ level: 'info' }), keyB);
      expect(other.status).toBe(202);
      expect(other.body.id).not.toBe(first.body.id);
    });

    it('has one effect however many use it at once', async () => {
      const key = await app.newAccount('parallel');
      const answers = await Promise.all(Array.from({ length: 30 }, (_, index) => publish(`parallel-${String(index % 3)}`, event(), key)));
      expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([202]));
      expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(3);
      expect(answers.every((answer) => answer.body.duplicate === false)).toBe(true);
      expect(await rows('parallel')).toBe(3);
    });

    it('lets one of two bodies win that use it at once', async () => {
      const key = await app.newAccount('rivals');
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => publish('rivals', event({ level: `l${String(index % 2)}` }), key)),
      );
      expect(answers.map((answer) => answer.status).sort()).toEqual([...Array<number>(10).fill(202), ...Array<number>(10).fill(422)]);
      expect(await rows('rivals')).toBe(1);
    });

    it('does not hold others of its group back', async () => {
      await publish('taken', event());
      const [taken, free, plain] = await Promise.all([
        publish('taken', event({ level: 'x' })),
        publish('free', event()),
        app.call('POST', EVENTS, event(), { key: keyA }),
      ]);
      expect([taken.status, free.status, plain.status]).toEqual([422, 202, 202]);
    });

    it('is forgotten after 24 hours', async () => {
      const first = await publish('old', event());
      const long = Date.now() - 86_400_001;
      await app.storage.db.updateTable('idempotency_keys').set({ created_at: long }).where('key', '=', 'old').execute();
      const second = await publish('old', event({ level: 'other body' }));
      expect(second.status).toBe(202);
      expect(second.body.id).not.toBe(first.body.id);
      expect((await publish('old', event({ level: 'other body' }))).body).toEqual(second.body);
    });

    it.each(['x'.repeat(256), 'a b'])('refuses the key %j', async (idempotencyKey) => {
      expect((await publish(idempotencyKey, event())).body).toMatchObject({ status: 400, code: 'malformed_request' });
    });
  });

  describe('list', () => {
    let key: string;
    const ids: string[] = [];
    const list = async (query: string, by = key): Promise<string[]> => {
      const seen: string[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const next: string = cursor === '' ? '' : `&cursor=${cursor}`;
        const page = await app.must(200, 'GET', `${EVENTS}?${query}${next}`, undefined, { key: by });
        seen.push(...page.data.map((each: { id: string }) => each.id));
        cursor = page.nextCursor;
      }
      return seen;
    };

    beforeAll(async () => {
      key = await app.newAccount('lists');
      for (let index = 0; index < 250; index += 50) {
        const batch = Array.from({ length: 50 }, (_, offset) => {
          const number = index + offset;
          return event({ eventType: number % 2 === 0 ? 'even' : 'odd', message: `needle-${String(number)}-ü` });
        });
        const { data } = await app.must(202, 'POST', `${EVENTS}/batch`, batch, { key });
        ids.push(...data.map((each: { id: string }) => each.id));
      }
      ids.reverse();
    });

    it('shows the newest first, each once, by pages of any size', async () => {
      expect(await list('limit=100')).toEqual(ids);
      expect(await list('limit=7')).toEqual(ids);
      const { data } = await app.must(200, 'GET', `${EVENTS}?limit=1`, undefined, { key });
      expect(data).toEqual([
        {
          id: ids[0],
          accountId: 'lists',
          source: 'events',
          application: 'shop',
          eventType: 'odd',
          level: null,
          timestamp: expect.any(String),
          receivedAt: expect.any(String),
          requestId: expect.any(String),
          status: 'filtered',
          filteredReason: 'no_filter',
        },
      ]);
    });

    it('by application and event type', async () => {
      expect(await list('application=shop&eventType=even&limit=50')).toEqual(ids.filter((_, index) => index % 2 === 1));
      expect(await list('application=other')).toEqual([]);
    });

    it('by text in id, names and data', async () => {
      expect(await list('q=needle-17-')).toEqual([ids[249 - 17]]);
      expect(await list(`q=${encodeURIComponent('17-ü')}`)).toHaveLength(3);
      expect(await list(`q=${ids[5]}`)).toEqual([ids[5]]);
      expect(await list('q=odd&limit=200')).toHaveLength(125);
      expect(await list('q=NEEDLE-17-')).toEqual([]);
      expect(await list('q=%25')).toEqual([]);
    });

    it('by the message of one that came alone, not by what stands around it', async () => {
      const own = await app.newAccount('searched');
      const { id } = await app.must(202, 'POST', EVENTS, event({ message: 'a haystack' }), { key: own });
      expect(await list('q=haystack', own)).toEqual([id]);
      expect(await list(`q=${encodeURIComponent('"a haystack"')}`, own)).toEqual([id]);
      expect(await list('q=eventType', own)).toEqual([]);
      expect(await list(`q=${encodeURIComponent('"}')}`, own)).toEqual([]);
    });

    it('by time', async () => {
      const marks = ids.map((id) => parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
      const [last = 0] = marks;
      const iso = (ms: number) => encodeURIComponent(new Date(ms).toISOString());
      expect(await list(`since=${iso(last + 1)}`)).toEqual([]);
      expect(await list(`until=${iso(last)}&limit=200`)).toEqual(ids.filter((_, index) => (marks[index] as number) < last));
      expect(await list(`since=${iso(last)}&limit=200`)).toEqual(ids.filter((_, index) => (marks[index] as number) >= last));
      expect(await list(`since=${String(last)}&limit=200`)).toEqual(ids.filter((_, index) => (marks[index] as number) >= last));
    });

    it('of the own account only; the admin’s of all or of one', async () => {
      expect(await list('limit=200', keyB)).not.toEqual(expect.arrayContaining([ids[0]]));
      await app.must(404, 'GET', `${EVENTS}?accountId=lists`, undefined, { key: keyB });
      const all = await app.must(200, 'GET', `${EVENTS}?accountId=lists&limit=200`);
      expect(all.data.map((each: { id: string }) => each.id)).toEqual(ids.slice(0, 200));
    });

    it.each(['since=yesterday', 'until=x', 'limit=0', 'cursor=x', 'q=a&q=b', 'aplication=shop'])('refuses %s', async (query) => {
      expect((await app.call('GET', `${EVENTS}?${query}`)).body).toMatchObject({ status: 400, code: 'malformed_request' });
    });

    it('shows one to its own account only', async () => {
      await app.must(200, 'GET', `${EVENTS}/${ids[0]}`, undefined, { key });
      for (const id of [ids[0], NO_ID, 'no-id']) await app.must(404, 'GET', `${EVENTS}/${id}`, undefined, { key: keyB });
    });
  });
});
