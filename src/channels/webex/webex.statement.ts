import type { Attachment, Statement } from '../../core/hook-event';
import type { JsonSlice } from '../../core/json-slice';
import type { WebexEnvelope } from './webex.envelope';
import { WEBEX } from './webex.signature';

/** Ids of Webex are base64; others cannot be told in an address. */
const ROOM_ID = /^[\w+/=:.-]{1,256}$/;

/** That a message was written. Webex leaves its text out, and asking for it is left to who has the bot's token. */
export function statementOf({ root, resource, event }: WebexEnvelope, data: JsonSlice | undefined, isOwn: boolean): Statement | undefined {
  if (resource !== 'messages' || event !== 'created' || data === undefined) return undefined;
  const roomId = data.member('roomId')?.string();
  const author = data.member('personId')?.string() ?? root.member('actorId')?.string();
  if (roomId === undefined || author === undefined || !ROOM_ID.test(roomId)) return undefined;
  const files = data.member('files')?.elements() ?? [];
  return {
    threadId: `${WEBEX}:${roomId}`,
    author,
    isOwn,
    text: data.member('text')?.string() ?? '',
    attachments: files.map(attachmentOf),
  };
}

function attachmentOf(file: JsonSlice): Attachment {
  const url = file.string();
  return { type: 'file', ...(url !== undefined && { url }) };
}
