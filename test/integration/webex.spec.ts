import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually';
import { Receiver } from '../support/receiver';
import { ended } from './recovery-rig';
import { type Answer, RestApp } from './rest-app';

const SECRET = 'the-webhook-secret-of-the-tests';
const body = readFileSync(join(__dirname, '../fixtures/webex/payloads/webex_messages_created.json'), 'utf8');
const { actorId: bot, data } = JSON.parse(body) as { actorId: string; data: { roomId: string } };
const botUri = Buffer.from(bot, 'base64').toString();

interface Said {
  author: string;
  own: boolean;
  text: string;
}

let app: RestApp;
let receiver: Receiver;

beforeAll(async () => {
  receiver = await Receiver.start();
  app = await RestApp.start('sqlite', { HOOK_SERVER_WEBEX_SECRET: SECRET, HOOK_SERVER_WEBEX_BOT_PERSON_ID: `someone-else,${botUri}` });
});

afterAll(async () => {
  await app?.close();
  await receiver?.stop();
});

function post(text: string): Promise<Answer> {
  const signature = createHmac('sha1', SECRET).update(text).digest('hex');
  return app.call('POST', '/webex', text, { key: null, headers: { 'x-spark-signature': signature } });
}

it('takes what its bot did, shows and counts it, and gives it to nobody, not by a replay either', async () => {
  const { id: endpointId } = await app.subscribe(receiver.url);
  expect((await post(body)).status).toBe(200);
  const person = JSON.stringify({ ...JSON.parse(body), id: 'another', actorId: 'person', data: { ...data, id: 'M2', personId: 'person' } });
  expect((await post(person)).status).toBe(200);

  const listed = await eventually('both are stored', async () => {
    const events = (await app.must(200, 'GET', '/api/v1/events?application=webex')).data;
    return events.length === 2 && events;
  });
  const own = listed.find(({ filteredReason }: { filteredReason: string }) => filteredReason === 'own_bot');
  const others = listed.find(({ id }: { id: string }) => id !== own.id);
  expect(own).toMatchObject({ eventType: 'messages.created', status: 'filtered', timestamp: '2015-10-18T14:26:16.000Z' });
  await app.eventIs(others.id, 'delivered');
  expect(await app.ledger()).toMatchObject({ accepted: 2, delivered: 1, filtered: 1, pending: 0 });

  const order = { since: '2026-01-01T00:00:00Z', ratePerSecond: 10_000 };
  for (const filter of [undefined, { applications: ['webex'] }]) {
    const { id: job } = await app.must(202, 'POST', `/api/v1/endpoints/${endpointId}/replay`, { ...order, filter });
    expect(await ended(app, job)).toMatchObject({ state: 'done', changed: 0 });
  }
  expect(receiver.received.map(({ id }) => id)).toEqual([others.id]);
});

it('keeps both sides of a conversation, without the text that Webex leaves out', async () => {
  const thread = await eventually('both are in the thread', async () => {
    const answer = await app.call('GET', `/api/v1/threads/${encodeURIComponent(`webex:${data.roomId}`)}`);
    return answer.status === 200 && answer.body.statementCount === 2 && answer.body;
  });
  const said = thread.statements.map(({ author, own, text }: Said) => ({ author, own, text }));
  expect(said).toEqual(
    expect.arrayContaining([
      { author: bot, own: true, text: '' },
      { author: 'person', own: false, text: '' },
    ]),
  );
});

it('does not start with a bot that is named instead of its id', async () => {
  await expect(RestApp.start('sqlite', { HOOK_SERVER_WEBEX_BOT_PERSON_ID: 'bot@webex.bot' })).rejects.toThrow(/botPersonId/);
});
