import { createHmac, randomUUID } from 'node:crypto';
import { request as send } from 'undici';
import { ADMIN_KEY, APP_SECRET } from '../support/gateway';
import { eventually } from '../support/eventually';
import { batchOf, signatureOf } from '../support/facebook-sender';
import { Receiver } from '../support/receiver';
import { acquireVhost } from '../support/services/services';
import { TcpProxy } from '../support/tcp-proxy';
import { AUTH_TOKEN, PUBLIC_URL, signForm } from '../support/twilio-sender';
import { ENGINES, RestApp } from './rest-app';

interface Source {
  id: string;
  /** `/in/<token>`. */
  path: string;
}

interface Sent {
  headers: Record<string, string>;
  body: string;
  /** What is delivered in the end, where that is not the body that came. */
  delivered?: string;
}

/** One wrong setting: what is sent then, and how the request gets in after all. */
interface Kind {
  verification: Record<string, unknown>;
  /** Before it is sent. */
  change?: (source: Source) => Promise<unknown>;
  sent: (source: Source) => Sent;
  cause: string;
  /** Of `verification`; absent: it is accepted under the cause. */
  fix?: (source: Source) => object;
}

const SECRET = 'a-secret-of-the-source';
const OTHER = 'the-secret-of-another-source';
const JSON_BODY = '{"name":"Zoë","n":[1,2]}';
const FORM = 'From=%2B15550001&Body=hello+world';
const HMAC = { type: 'hmac', header: 'x-signature', secret: SECRET };
const MAX_ROWS_PER_SOURCE = 20;
const TWILIO = { type: 'twilio', secret: AUTH_TOKEN };

const digest = (body: string, secret: string | Buffer, encoding: 'hex' | 'base64' = 'hex', algorithm = 'sha256'): string =>
  createHmac(algorithm, secret).update(body).digest(encoding);

/** JSON with what it is signed with in one header. */
const json = (signature: string, header = 'x-signature', body = JSON_BODY): Sent => ({
  headers: { 'content-type': 'application/json', [header]: signature },
  body,
});

const formTo = (url: string, path: string, headers: Record<string, string> = {}): Sent => ({
  headers: { ...signForm(path, FORM, { url }).headers, ...headers },
  body: FORM,
});

const KEY = Buffer.alloc(24, 7);
const STANDARD = { type: 'standard-webhooks', secret: `whsec_${KEY.toString('base64')}` };
const anHourAgo = (key: string | Buffer = KEY): Sent => {
  const seconds = String(Math.floor(Date.now() / 1_000) - 3_600);
  const signature = `v1,${digest(`m1.${seconds}.${JSON_BODY}`, key, 'base64')}`;
  const { headers, body } = json(signature, 'webhook-signature');
  return { headers: { ...headers, 'webhook-id': 'm1', 'webhook-timestamp': seconds }, body };
};

let app: RestApp;
let receiver: Receiver;

const KINDS: Readonly<Record<string, Kind>> = {
  'a proxy changed the scheme': {
    verification: TWILIO,
    sent: ({ path }) => formTo('http://gw.example.com', path),
    cause: 'public_url',
    fix: ({ path }) => ({ url: `http://gw.example.com${path}` }),
  },
  'a proxy changed the host': {
    verification: TWILIO,
    sent: ({ path }) => formTo('https://hooks.example', path, { 'x-forwarded-host': 'hooks.example' }),
    cause: 'public_url',
    fix: ({ path }) => ({ url: `https://hooks.example${path}` }),
  },
  'a proxy changed the port': {
    verification: TWILIO,
    sent: ({ path }) => formTo(`${PUBLIC_URL}:8443`, path),
    cause: 'public_url',
    fix: ({ path }) => ({ url: `${PUBLIC_URL}:8443${path}` }),
  },
  'a slash was lost at the end': { verification: TWILIO, sent: ({ path }) => formTo(PUBLIC_URL, `${path}/`), cause: 'trailing_slash' },
  'a proxy wrote the path anew': {
    verification: TWILIO,
    sent: ({ path }) => formTo(PUBLIC_URL, `/hooks${path}`, { 'x-original-uri': `/hooks${path}` }),
    cause: 'path_changed',
  },
  'the body was serialised again': {
    verification: { type: 'github', secret: SECRET },
    sent: () => {
      const delivered = JSON.stringify(JSON.parse(JSON_BODY), null, 2);
      return { ...json(`sha256=${digest(delivered, SECRET)}`, 'x-hub-signature-256'), delivered };
    },
    cause: 'body_reserialised',
  },
  'hex for base64': {
    verification: { ...HMAC, encoding: 'base64' },
    sent: () => json(digest(JSON_BODY, SECRET)),
    cause: 'signature_encoding',
    fix: () => ({ encoding: 'hex' }),
  },
  'base64 for hex': {
    verification: HMAC,
    sent: () => json(digest(JSON_BODY, SECRET, 'base64')),
    cause: 'signature_encoding',
    fix: () => ({ encoding: 'base64' }),
  },
  'another hash': {
    verification: HMAC,
    sent: () => json(digest(JSON_BODY, SECRET, 'hex', 'sha512')),
    cause: 'signature_algorithm',
    fix: () => ({ algorithm: 'sha512' }),
  },
  'whsec_ is kept': {
    verification: { ...HMAC, secret: `whsec_${SECRET}` },
    sent: () => json(digest(JSON_BODY, SECRET)),
    cause: 'secret_prefix',
    fix: () => ({ secret: SECRET }),
  },
  'whsec_ is stripped': {
    verification: HMAC,
    sent: () => json(digest(JSON_BODY, `whsec_${SECRET}`)),
    cause: 'secret_prefix',
    fix: () => ({ secret: `whsec_${SECRET}` }),
  },
  'a secret with a line break': {
    verification: { ...HMAC, secret: `${SECRET}\n` },
    sent: () => json(digest(JSON_BODY, SECRET)),
    cause: 'secret_whitespace',
    fix: () => ({ secret: SECRET }),
  },
  'a key that is base64': {
    verification: { ...HMAC, secret: 'a2V5IG9mIGJ5dGVz' },
    sent: () => json(digest(JSON_BODY, Buffer.from('key of bytes'))),
    cause: 'secret_encoding',
    fix: () => ({ keyForm: 'base64' }),
  },
  'another source’s secret': {
    verification: HMAC,
    sent: () => json(digest(JSON_BODY, OTHER)),
    cause: 'other_source_secret',
    fix: () => ({ secret: OTHER }),
  },
  'an old secret': {
    verification: HMAC,
    change: async ({ id }) => {
      const until = Date.now() + 1_000;
      const body = { secret: 'new', previousSecretUntil: new Date(until).toISOString() };
      await app.must(200, 'POST', `/api/v1/sources/${id}/rotate-secret`, body);
      await eventually('the overlap is over', () => Date.now() > until);
    },
    sent: () => json(digest(JSON_BODY, SECRET)),
    cause: 'old_secret',
    fix: () => ({ secrets: ['new', SECRET] }),
  },
  'another platform’s webhook': {
    verification: { type: 'github', secret: SECRET },
    sent: () => json(digest(JSON_BODY, SECRET, 'base64'), 'x-shopify-hmac-sha256'),
    cause: 'wrong_preset',
    fix: () => ({ type: 'shopify', secret: SECRET }),
  },
  'a clock that is an hour late': {
    verification: STANDARD,
    sent: () => anHourAgo(),
    cause: 'clock_skew',
  },
};

/** What the platforms' own doors are set up with. */
const CHANNELS = {
  HOOK_SERVER_FACEBOOK_APP_SECRET: APP_SECRET,
  HOOK_SERVER_TWITTER_ENABLED: 'true',
  HOOK_SERVER_TWITTER_CONSUMER_SECRET: SECRET,
  HOOK_SERVER_TWILIO_AUTH_TOKEN: AUTH_TOKEN,
  HOOK_SERVER_WEBEX_SECRET: SECRET,
};

describe.each(ENGINES)('the doctor on %s', (engine) => {
  let vhost: Awaited<ReturnType<typeof acquireVhost>> | undefined;
  let proxy: TcpProxy | undefined;

  beforeAll(async () => {
    const env: NodeJS.ProcessEnv = { PUBLIC_URL, ...CHANNELS, REFUSALS_MAX_ROWS_PER_SOURCE: String(MAX_ROWS_PER_SOURCE) };
    if (engine === 'postgres') {
      vhost = await acquireVhost();
      const broker = await TcpProxy.inFrontOf(vhost.url);
      proxy = broker.proxy;
      env['RABBITMQ_URL'] = broker.url;
    }
    app = await RestApp.start(engine, env);
    receiver = await Receiver.start();
    await create({ ...HMAC, secret: OTHER });
  });
  afterAll(async () => {
    await app.close();
    await receiver.stop();
    await proxy?.stop();
    await vhost?.release();
  });
  beforeEach(() => void (receiver.received.length = 0));

  /** A source whose events are delivered as they came. */
  async function create(verification: object): Promise<Source> {
    const accountId = `account-${randomUUID()}`;
    const endpoint = { url: receiver.url, accountId, properties: { body: 'raw' } };
    const { id: endpointId } = await app.must(201, 'POST', '/api/v1/endpoints', endpoint);
    await app.must(201, 'POST', '/api/v1/filters', { accountId, endpointIds: [endpointId] });
    const source = { accountId, name: 'a source', application: 'app', verification };
    const { id, url } = await app.must(201, 'POST', '/api/v1/sources', source);
    return { id, path: new URL(url as string).pathname };
  }

  const post = async (path: string, { headers, body }: Sent): Promise<{ status: number; requestId: string }> => {
    const answer = await send(app.url + path, { method: 'POST', headers, body });
    await answer.body.dump();
    return { status: answer.statusCode, requestId: String(answer.headers['x-request-id']) };
  };

  /** Sends what must be refused. @returns by what name it is listed. */
  const refused = async (source: string, path: string, sent: Sent): Promise<string> => {
    const { status, requestId } = await post(path, sent);
    expect(status).toBe(401);
    return eventually('it is listed', async () => {
      const { data } = await app.must(200, 'GET', `/api/v1/requests?outcome=rejected&source=${source}`);
      return (data as { id: string; requestId: string }[]).find((request) => request.requestId === requestId)?.id;
    });
  };

  const diagnosis = (id: string) => app.must(200, 'GET', `/api/v1/requests/${id}/diagnosis`);
  const accept = (id: string, cause?: string) => app.call('POST', `/api/v1/requests/${id}/accept`, cause && { cause });

  const countsOf = async (source: string): Promise<Record<string, number> | undefined> => {
    const { sources } = await app.must(200, 'GET', '/api/v1/ledger');
    return (sources as ({ source: string } & Record<string, number>)[]).find((row) => row.source === source);
  };

  const isDelivered = (source: string) =>
    eventually('it is delivered', async () => {
      expect(await countsOf(source)).toMatchObject({ accepted: 1, delivered: 1 });
      return true;
    });

  it.each(Object.keys(KINDS))('%s: refused, diagnosed, mended, accepted, delivered', async (name) => {
    const { verification, change, sent, cause, fix } = KINDS[name]!;
    const source = await create(verification);
    await change?.(source);
    const request = sent(source);
    const id = await refused(`in:${source.id}`, source.path, request);

    const found = await diagnosis(id);
    expect(found.causes).toMatchObject([{ cause, certain: cause !== 'wrong_preset', acceptable: fix === undefined }]);
    const secrets = new RegExp([SECRET, OTHER, AUTH_TOKEN, source.path.slice(4), '[0-9a-f]{40}'].join('|'));
    expect(JSON.stringify(found)).not.toMatch(secrets);
    expect((await accept(id)).body).toMatchObject({ status: 422, code: 'still_refused' });
    expect((await accept(id, cause)).status).toBe(fix === undefined ? 200 : 422);
    if (fix !== undefined) {
      await app.must(200, 'PATCH', `/api/v1/sources/${source.id}`, { verification: fix(source) });
      expect((await diagnosis(id)).causes).toMatchObject([{ cause: 'mended', acceptable: true }]);
      expect((await accept(id)).body).toMatchObject({ outcome: 'accepted' });
    }
    await isDelivered(`in:${source.id}`);
    expect(receiver.received.map(({ body }) => body.toString())).toEqual([request.delivered ?? request.body]);
    expect((await accept(id)).body).toMatchObject({ status: 409, code: 'conflict' });
    await app.ledger();
  });

  it.each<[string, string, (path: string) => Sent, string]>([
    ['facebook', '/facebook', () => json(`sha256=${digest(JSON_BODY, `${APP_SECRET}\n`)}`, 'x-hub-signature-256'), 'facebook.appSecret'],
    [
      'twitter',
      '/twitter',
      () => json(`sha256=${digest(JSON_BODY, `${SECRET}\n`, 'base64')}`, 'x-twitter-webhooks-signature'),
      'twitter.consumerSecret',
    ],
    [
      'twilio',
      '/twilio/status',
      (path) => ({ ...formTo(PUBLIC_URL, path), headers: signForm(path, FORM, { token: `${AUTH_TOKEN}\n` }).headers }),
      'twilio.authToken',
    ],
    ['webex', '/webex', () => json(digest(JSON_BODY, `${SECRET}\n`, 'hex', 'sha1'), 'x-spark-signature'), 'webex.secret'],
  ])('knows how /%s is checked', async (channel, path, sent, setting) => {
    expect((await diagnosis(await refused(channel, path, sent(path)))).causes).toMatchObject([
      { cause: 'secret_whitespace', certain: true, setting: `hookServer.${setting}` },
    ]);
  });

  it('takes a channel’s request in as it was signed, and accepting it twice is one request', async () => {
    await app.subscribe(receiver.url);
    const signed = JSON.stringify(JSON.parse(batchOf([`m-${engine}`])), null, 2);
    const id = await refused('facebook', '/facebook', json(signatureOf(signed), 'x-hub-signature-256', batchOf([`m-${engine}`])));
    expect((await accept(id, 'clock_skew')).body).toMatchObject({ status: 422, code: 'cause_not_proven' });
    expect((await accept(id, 'body_reserialised')).status).toBe(200);
    await isDelivered('facebook');
    // As after a process that was killed between the two.
    const lost = { outcome: 'rejected', accepted_at: null, claimed_at: null };
    await app.storage.db.updateTable('requests').set(lost).where('id', '=', id).execute();
    expect((await accept(id, 'body_reserialised')).status).toBe(200);
    expect((await post('/facebook', json(signatureOf(signed), 'x-hub-signature-256', signed))).status).toBe(200);
    await eventually('all that came is accounted for', async () => {
      expect(await countsOf('facebook')).toMatchObject({ accepted: 2, delivered: 1, duplicate: 1 });
      return true;
    });
    expect(receiver.received).toHaveLength(1);
    await app.ledger();
  });

  // The embedded broker is never away.
  if (engine === 'postgres') {
    it('keeps a request that the broker does not take', async () => {
      const source = await create(HMAC);
      const id = await refused(`in:${source.id}`, source.path, json(digest(JSON_BODY, 'x')));
      await app.must(200, 'PATCH', `/api/v1/sources/${source.id}`, { verification: { secret: 'x' } });
      proxy?.cut();
      await eventually('the broker is away', async () => (await accept(id)).status === 503);
      expect(await app.must(200, 'GET', `/api/v1/requests/${id}`)).toMatchObject({ outcome: 'rejected', acceptedAt: null });
      proxy?.restore();
      await eventually('it is accepted', async () => (await accept(id)).status === 200);
      await isDelivered(`in:${source.id}`);
    });
  }

  it('goes by the time of receipt, however late it is accepted', async () => {
    const source = await create(STANDARD);
    const key = Buffer.alloc(24, 8);
    const id = await refused(`in:${source.id}`, source.path, anHourAgo(key));
    const at = Date.now() - 3_600_000;
    await app.storage.db.updateTable('requests').set({ at }).where('id', '=', id).execute();
    await app.must(200, 'PATCH', `/api/v1/sources/${source.id}`, { verification: { secret: `whsec_${key.toString('base64')}` } });
    expect((await accept(id)).status).toBe(200);
    await isDelivered(`in:${source.id}`);
    const event = app.storage.db.selectFrom('events').select('received_at').where('source', '=', `in:${source.id}`);
    expect(await event.executeTakeFirst()).toEqual({ received_at: at });
  });

  it('says that a URL is not known, and of a known one nothing of the kind', async () => {
    const { id, path } = await create(HMAC);
    const listed = async (source: string, target: string): Promise<string> => {
      const { headers, body } = await send(app.url + target);
      await body.dump();
      return eventually('it is listed', async () => {
        const { data } = await app.must(200, 'GET', `/api/v1/requests?code=not_found&source=${source}`);
        return (data as Record<string, string>[]).find(({ requestId }) => requestId === headers['x-request-id'])?.['id'];
      });
    };
    const unknown = await listed('in', `/in/${'A'.repeat(43)}`);
    expect((await diagnosis(unknown)).causes).toMatchObject([{ cause: 'unknown_token' }]);
    expect((await diagnosis(await listed(`in:${id}`, path))).causes).toEqual([]);
  });

  it('says that a source was disabled or deleted since', async () => {
    const { id, path } = await create(HMAC);
    const refusal = await refused(`in:${id}`, path, json(digest(JSON_BODY, 'the secret of nobody here')));
    expect((await diagnosis(refusal)).causes).toMatchObject([{ cause: 'secret_unknown', certain: false, acceptable: false }]);
    await app.must(200, 'PATCH', `/api/v1/sources/${id}`, { enabled: false });
    expect((await diagnosis(refusal)).causes).toMatchObject([{ cause: 'switched_off', certain: true }]);
    await app.must(204, 'DELETE', `/api/v1/sources/${id}`);
    expect((await diagnosis(refusal)).causes).toMatchObject([{ cause: 'unknown_token', certain: true }]);
  });

  it('keeps a flood at one source from pushing out the refusals of others', async () => {
    const [quiet, loud] = [await create(HMAC), await create(HMAC)];
    const id = await refused(`in:${quiet.id}`, quiet.path, json('x'));
    let newest = '';
    for (let flush = 0; flush < 4; flush++) {
      for (let i = 1; i < MAX_ROWS_PER_SOURCE; i++) await post(loud.path, json('x'));
      newest = await refused(`in:${loud.id}`, loud.path, json('x'));
    }
    await eventually('only the newest are left, as many again at most until the next pruning', async () => {
      const { data } = await app.must(200, 'GET', `/api/v1/requests?source=in:${loud.id}&limit=200`);
      expect(data[0].id).toBe(newest);
      return data.length <= 2 * MAX_ROWS_PER_SOURCE;
    });
    await app.must(200, 'GET', `/api/v1/requests/${id}`);
  });

  it('is for admins', async () => {
    const key = await app.newAccount(`account-${randomUUID()}`);
    const source = await create(HMAC);
    const id = await refused(`in:${source.id}`, source.path, json('x'));
    for (const [method, path] of [
      ['GET', ''],
      ['GET', `/${id}`],
      ['GET', `/${id}/diagnosis`],
      ['POST', `/${id}/accept`],
    ] as const) {
      expect([path, (await app.call(method, `/api/v1/requests${path}`, undefined, { key })).body]).toMatchObject([
        path,
        { status: 403, code: 'forbidden' },
      ]);
      expect([path, (await app.call(method, `/api/v1/requests${path}`, undefined, { key: null })).status]).toEqual([path, 401]);
    }
  });

  it('keeps what is secret sealed', async () => {
    const source = await create(HMAC);
    const told = { ...json('of-the-signature'), body: 'a body' };
    const headers = { ...told.headers, authorization: 'Bearer of-the-header' };
    const id = await refused(`in:${source.id}`, `${source.path}?key=in-the-query`, { ...told, headers });
    const row = await app.storage.db.selectFrom('requests').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    const stored = JSON.stringify({ ...row, body: Buffer.from(row.body ?? []).toString() });
    expect(stored).toContain('a body');
    const shown = JSON.stringify([await app.must(200, 'GET', `/api/v1/requests/${id}`), await diagnosis(id)]);
    expect(stored + shown).not.toMatch(new RegExp(`in-the-query|of-the-signature|of-the-header|${source.path.slice(4)}|${ADMIN_KEY}`));
  });
});
