import { sql } from 'kysely';
import { eventually } from '../support/eventually';
import type { DeliveredBody, Receiver } from '../support/receiver';
import { type EndpointRow, type FilterWishes, endpointRow, filterRow } from '../support/registry-rows';
import type { DeliveryRig } from './delivery-rig';

/** An endpoint that gets the operational events of its account, and its receiver. */
export async function monitor(
  rig: DeliveryRig,
  changes: Partial<EndpointRow> = {},
  wishes: FilterWishes = {},
): Promise<{ receiver: Receiver; endpoint: EndpointRow }> {
  const receiver = await rig.receiver();
  const endpoint = endpointRow({ name: 'monitor', url: receiver.url, ...changes });
  receiver.secrets = [endpoint.secret];
  await rig.changeRegistry(async (storage) => {
    const filter = filterRow({ applications: ['hookline'], endpoints: [endpoint], accountId: endpoint.account_id, ...wishes });
    await storage.insertMany(storage.db, 'endpoints', [endpoint]);
    await storage.insertMany(storage.db, 'filters', [filter]);
  });
  return { receiver, endpoint };
}

export const got = (receiver: Receiver, count: number): Promise<DeliveredBody[]> =>
  eventually(`${count} operational events have come`, () => receiver.received.length >= count && receiver.bodies);

/** The types of the operational events that are stored, in their order. */
export async function storedTypes(rig: DeliveryRig): Promise<string[]> {
  const rows = await rig.storage.db.selectFrom('events').select('event_type').where('source', '=', 'hookline').orderBy('id').execute();
  return rows.map((row) => row.event_type);
}

/** From now on the database refuses to store an operational event. @returns what ends that. */
export async function refuseOperationalEvents({ storage: { db, engine } }: DeliveryRig): Promise<() => Promise<void>> {
  if (engine === 'sqlite') {
    await sql`create trigger refuse before insert on events when new.source = 'hookline' begin select raise(abort, 'refused'); end`.execute(
      db,
    );
    return async () => void (await sql`drop trigger refuse`.execute(db));
  }
  await sql`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$`.execute(db);
  await sql`create trigger refuse before insert on events for each row when (new.source = 'hookline') execute function refuse()`.execute(
    db,
  );
  return async () => void (await sql`drop trigger refuse on events`.execute(db));
}
