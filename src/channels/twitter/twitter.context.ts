import { type JsonSlice, joinObject } from '../../core/json-slice';
import { actorOf, targetOf, textOf } from './twitter.item';

/** All that the copies of users and apps may add to one request's events; what comes after has none. */
const MAX_COPIED_BYTES = 1024 * 1024;

/** What stands around the items of one request. */
export class Surroundings {
  private readonly blocked: Buffer | undefined;
  private readonly users: JsonSlice | undefined;
  private readonly apps: JsonSlice | undefined;
  private copiedBytes = 0;

  constructor(
    root: JsonSlice,
    private readonly forUserId: string | undefined,
  ) {
    this.blocked = root.member('user_has_blocked')?.bytes;
    this.users = root.member('users');
    this.apps = root.member('apps');
  }

  /**
   * `{forUserId, own, userHasBlocked, users, apps}`: `own` (true) where the subscribed user did it, of the maps the entries that the
   * item names. What is missing is left out.
   */
  around(item: JsonSlice): Buffer {
    const actor = actorOf(item);
    const isOwn = actor !== undefined && actor === this.forUserId;
    return joinObject({
      forUserId: this.forUserId === undefined ? undefined : jsonOf(this.forUserId),
      own: isOwn ? Buffer.from('true') : undefined,
      userHasBlocked: this.blocked,
      users: this.entriesOf(this.users, [actor, targetOf(item)]),
      apps: this.entriesOf(this.apps, [textOf(item.member('message_create')?.member('source_app_id'))]),
    });
  }

  private entriesOf(map: JsonSlice | undefined, ids: readonly (string | undefined)[]): Buffer | undefined {
    if (map === undefined) return undefined;
    const parts: Buffer[] = [];
    for (const id of new Set(ids)) {
      const entry = id === undefined ? undefined : map.member(id)?.bytes;
      if (id === undefined || entry === undefined) continue;
      this.copiedBytes += entry.length;
      if (this.copiedBytes > MAX_COPIED_BYTES) return undefined;
      parts.push(Buffer.from(parts.length === 0 ? '{' : ','), jsonOf(id), Buffer.from(':'), entry);
    }
    return parts.length === 0 ? undefined : Buffer.concat([...parts, Buffer.from('}')]);
  }
}

const jsonOf = (text: string): Buffer => Buffer.from(JSON.stringify(text));
