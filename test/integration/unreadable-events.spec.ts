import { sql } from 'kysely';
import { Logger } from '@nestjs/common';
import { ENGINES } from '../conformance/storage/engines';
import { eventually } from '../support/eventually';
import { DeliveryRig } from './delivery-rig';

/** In place of the table: whoever reads the context of this event gets an error. */
const spoil = (engine: 'sqlite' | 'postgres', columns: readonly string[], eventId: string): string => {
  const error = engine === 'sqlite' ? `json('{')` : `convert_to((1 / (length(id::text) - 36))::text, 'UTF8')`;
  const read = columns.map((name) => (name === 'context' ? `case when id = '${eventId}' then ${error} else context end as context` : name));
  return `create view events as select ${read.join(', ')} from sound_events`;
};

describe.each(ENGINES)('events that cannot be read on $engine', (engine) => {
  let rig: DeliveryRig;

  beforeEach(async () => {
    rig = await DeliveryRig.create(engine);
    await rig.boot();
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await rig.close();
  });

  const waitingDeliveries = async (count: number) => {
    const receiver = await rig.receiver();
    receiver.answer = () => ({ status: 500 });
    const endpoint = await rig.endpoint('unreadable', { url: receiver.url, retry_schedule: '[3600,3600]' });
    const eventIds = await rig.send('unreadable', count);
    await rig.reached(endpoint.id, { waiting: count });
    receiver.answer = () => ({ status: 204 });
    return { endpoint, eventIds };
  };

  const replaceEvents = async (statements: readonly string[]): Promise<void> => {
    await rig.storage.transaction(async (trx) => {
      for (const statement of statements) await sql.raw(statement).execute(trx);
    });
  };

  it('gives up the delivery of the one and attempts its neighbours', async () => {
    const { endpoint, eventIds } = await waitingDeliveries(20);
    const [event] = await rig.storage.db.selectFrom('events').selectAll().limit(1).execute();
    const [, , badId = ''] = eventIds;
    await replaceEvents(['alter table events rename to sound_events', spoil(rig.storage.engine, Object.keys(event ?? {}), badId)]);
    await rig.makeDue(endpoint.id);
    await rig.reached(endpoint.id, { delivered: 19, dead: 1 });
    const dead = (await rig.deliveriesTo(endpoint.id)).find(({ status }) => status === 'dead');
    expect(dead).toMatchObject({ event_id: badId, reason: 'event_unreadable', dead_class: 'pipeline', attempt_count: 1 });
    expect(await rig.ledger()).toMatchObject({ accepted: 20, delivered: 19, dead: 1, pending: 0 });
  });

  it('gives up none while no event at all can be read', async () => {
    const { endpoint } = await waitingDeliveries(5);
    const failed = jest.spyOn(Logger.prototype, 'error');
    await replaceEvents(['alter table events rename column context to lost_context']);
    await rig.makeDue(endpoint.id);
    await eventually('it was tried more than once', () => failed.mock.calls.length > 1);
    expect(await rig.statusesOf(endpoint.id)).toEqual({ waiting: 5 });
    await replaceEvents(['alter table events rename column lost_context to context']);
    await rig.reached(endpoint.id, { delivered: 5 });
  });
});
