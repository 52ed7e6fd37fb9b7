import type { Channel, RawRequest } from '../channels/channel';
import type { IncomingEvent } from '../core/hook-event';
import { doorOf } from '../core/ledger-source';
import { readTokenWebhook } from '../token-webhooks/reading/token-webhook.reader';
import { readSourceRequest } from './reading/source.reader';
import { TAG_ATTRIBUTE, ledgerSourceOf, readTag } from './reading/source-tag';
import type { SourcesConfig } from '../token-webhooks/sources.config';

export const SOURCES_QUEUE = 'webhooks.sources.default';

/** The ledger's source of token webhooks, and the door of sources, each of which is a source of its own. */
const TOKEN_WEBHOOKS = 'wh';
const SOURCES = 'in';

/** Requests to sources and token webhooks share a queue; those to sources are tagged. */
export const sourcesChannel = ({ processEnabled, workerCount }: SourcesConfig): Channel => ({
  name: 'sources',
  isEnabled: true,
  isConfigured: true,
  isProcessing: processEnabled,
  lanes: [{ name: 'default', queue: SOURCES_QUEUE, workerCount }],
  parse,
  sourceOf,
  hasSource: (source) => source === TOKEN_WEBHOOKS || doorOf(source) === SOURCES,
});

function parse(request: RawRequest): IncomingEvent[] {
  const tag = request.attributes?.[TAG_ATTRIBUTE];
  return tag === undefined ? readTokenWebhook(request) : readSourceRequest(request, readTag(tag));
}

/** Of a tag that cannot be read nobody knows whose it is. */
function sourceOf({ attributes }: RawRequest): string {
  const tag = attributes?.[TAG_ATTRIBUTE];
  if (tag === undefined) return TOKEN_WEBHOOKS;
  try {
    return ledgerSourceOf(readTag(tag).id);
  } catch {
    return SOURCES;
  }
}
