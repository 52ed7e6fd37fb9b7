import { GatewayError } from '../../core/errors';

/**
 * What reading a request needs of its source; it travels with the request, so that a replica that has not seen the source yet, or one
 * that sees it no more, reads it all the same.
 */
export interface SourceTag {
  id: string;
  accountId: string;
  application: string;
  /** Of the preset. */
  type: string;
  /** Where event type and key stand that the preset does not give; as `readLocator` reads it. */
  eventTypeFrom?: string;
  dedupeFrom?: string;
}

/** Attributes of a request, in the queue: the tag, and the headers that are read, both as JSON. */
export const TAG_ATTRIBUTE = 'source';
export const HEADERS_ATTRIBUTE = 'headers';

/** @throws GatewayError `malformed_request`. */
export function readTag(text: string): SourceTag {
  const tag = readRecord(text);
  for (const name of ['id', 'accountId', 'application', 'type']) {
    if (typeof tag[name] !== 'string') throw new GatewayError('malformed_request', `Its attribute ${TAG_ATTRIBUTE} has no ${name}`);
  }
  return tag as unknown as SourceTag;
}

/** @throws GatewayError `malformed_request`. */
export const readHeaders = (text: string | undefined): Readonly<Record<string, string>> =>
  text === undefined ? {} : (readRecord(text) as Record<string, string>);

function readRecord(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new GatewayError('malformed_request', 'An attribute of it is no JSON', { cause: error });
  }
}

/** The ledger's source. */
export const ledgerSourceOf = (id: string): string => `in:${id}`;
