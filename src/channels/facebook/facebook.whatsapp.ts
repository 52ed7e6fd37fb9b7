import { type JsonSlice, joinObject } from '../../core/json-slice';
import { textOf } from './facebook.item';

/** All that the copies of `contacts` may add to one request's events; above, each event gets its own contact only. */
const MAX_CONTACT_BYTES = 1024 * 1024;

/** The `value` of a WhatsApp change, which lists messages or statuses beside what they have in common. */
export class WhatsappValue {
  readonly messages: readonly JsonSlice[];
  readonly statuses: readonly JsonSlice[];
  readonly phoneNumberId: JsonSlice | undefined;
  /** There is something that no message or status shows: nothing of them at all, or errors of the account. */
  readonly holdsMore: boolean;
  private readonly metadata: JsonSlice | undefined;
  private readonly contacts: JsonSlice | undefined;
  private readonly contactsById: ReadonlyMap<string, Buffer> | undefined;

  constructor(value: JsonSlice | undefined) {
    this.messages = value?.member('messages')?.elements() ?? [];
    this.statuses = value?.member('statuses')?.elements() ?? [];
    this.metadata = value?.member('metadata');
    this.contacts = value?.member('contacts');
    this.phoneNumberId = this.metadata?.member('phone_number_id');
    const items = this.messages.length + this.statuses.length;
    this.holdsMore = items === 0 || (value?.member('errors')?.elements().length ?? 0) > 0;
    const isBulky = items > 1 && (this.contacts?.bytes.length ?? 0) * items > MAX_CONTACT_BYTES;
    this.contactsById = isBulky ? indexById(this.contacts?.elements() ?? []) : undefined;
  }

  /** `{metadata, contacts, <key>: element}` of exact slices; what is missing is left out. */
  around(key: 'message' | 'status', element: JsonSlice): Buffer {
    return joinObject({ metadata: this.metadata?.bytes, contacts: this.contactsOf(key, element), [key]: element.bytes });
  }

  private contactsOf(key: 'message' | 'status', element: JsonSlice): Buffer | undefined {
    if (this.contactsById === undefined) return this.contacts?.bytes;
    const id = textOf(element.member(key === 'message' ? 'from' : 'recipient_id'));
    return Buffer.concat([Buffer.from('['), this.contactsById.get(id ?? '') ?? Buffer.alloc(0), Buffer.from(']')]);
  }
}

/** The last contact of each id. */
function indexById(contacts: readonly JsonSlice[]): Map<string, Buffer> {
  const byId = new Map<string, Buffer>();
  for (const contact of contacts) byId.set(textOf(contact.member('wa_id')) ?? '', contact.bytes);
  return byId;
}
