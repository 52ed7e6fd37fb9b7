import type { Attachment, Statement } from '../../core/hook-event';
import type { JsonSlice } from '../../core/json-slice';
import { actorOf, idOf, targetOf, textOf } from './twitter.item';
import { TWITTER } from './twitter.signature';

type Slice = JsonSlice | undefined;

const DIGITS = /^\d{1,20}$/;

/** What was said, where it was said to somebody: a direct message, a tweet that answers or mentions. */
export function statementOf(item: JsonSlice, eventType: string, forUserId: string | undefined): Statement | undefined {
  if (eventType === 'direct_message') return directMessage(item, forUserId);
  return eventType === 'tweet_create' ? tweet(item, forUserId) : undefined;
}

function directMessage(item: JsonSlice, forUserId: string | undefined): Statement | undefined {
  const [author, recipient] = [actorOf(item), targetOf(item)];
  const data = item.member('message_create')?.member('message_data');
  if (data === undefined || author === undefined || recipient === undefined) return undefined;
  if (!DIGITS.test(author) || !DIGITS.test(recipient)) return undefined;
  const attachment = data.member('attachment');
  return {
    // The platform's own id of a conversation between two.
    threadId: `${TWITTER}:${[author, recipient].sort(numerically).join('-')}`,
    author,
    isOwn: author === forUserId,
    text: data.member('text')?.string() ?? '',
    attachments: attachment === undefined ? [] : [attachmentOf(attachment.member('media') ?? attachment)],
  };
}

const numerically = (one: string, other: string): number => (BigInt(one) < BigInt(other) ? -1 : 1);

/** Without the platform's conversation, the tweet that is answered is the nearest to the root that the item tells. */
function tweet(item: JsonSlice, forUserId: string | undefined): Statement | undefined {
  const [author, id] = [actorOf(item), idOf(item)];
  if (author === undefined || id === undefined || present(item.member('retweeted_status'))) return undefined;
  const answered = textOf(item.member('in_reply_to_status_id_str')) ?? textOf(item.member('in_reply_to_status_id'));
  const isAnswer = answered !== undefined || textOf(item.member('in_reply_to_user_id_str')) !== undefined;
  const full = present(item.member('extended_tweet')) ? item.member('extended_tweet') : undefined;
  const mentions = (full?.member('entities') ?? item.member('entities'))?.member('user_mentions')?.elements() ?? [];
  if (!isAnswer && !mentions.some((mention) => idOf(mention) === forUserId)) return undefined;
  const root = textOf(item.member('conversation_id_str')) ?? answered ?? id;
  if (!DIGITS.test(root)) return undefined;
  const text = full?.member('full_text') ?? item.member('full_text') ?? item.member('text');
  const media = (full?.member('extended_entities') ?? item.member('extended_entities'))?.member('media')?.elements() ?? [];
  return {
    threadId: `${TWITTER}:tweet:${root}`,
    author,
    isOwn: author === forUserId,
    text: text?.string() ?? '',
    attachments: media.map(attachmentOf),
  };
}

function attachmentOf(media: JsonSlice): Attachment {
  const url = media.member('media_url_https')?.string();
  return { type: media.member('type')?.string() ?? 'media', ...(url !== undefined && { url }) };
}

const present = (slice: Slice): boolean => slice?.kind === 'object';
