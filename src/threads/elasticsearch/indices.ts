import { type Client, errors } from '@elastic/elasticsearch';
import type { estypes } from '@elastic/elasticsearch';

/** Reads and writes go by the alias; another mapping is another version, filled by a reindex before the alias moves. */
export interface IndexSpec {
  alias: string;
  version: number;
  mappings: estypes.MappingTypeMapping;
}

const keyword = { type: 'keyword' } as const;
const date = { type: 'date', format: 'epoch_millis' } as const;

export const STATEMENTS: IndexSpec = {
  alias: 'hookline-statements',
  version: 1,
  mappings: {
    dynamic: false,
    properties: {
      threadKey: keyword,
      threadId: keyword,
      channel: keyword,
      accountId: keyword,
      author: keyword,
      own: { type: 'boolean' },
      text: { type: 'text' },
      attachments: { type: 'object', enabled: false },
      at: date,
      eventId: keyword,
    },
  },
};

export const THREADS: IndexSpec = {
  alias: 'hookline-threads',
  version: 1,
  mappings: { dynamic: false, properties: { threadId: keyword, channel: keyword, accountId: keyword, lastAt: date } },
};

const nameOf = ({ alias, version }: IndexSpec): string => `${alias}-v${version}`;

/** Puts the template of an index, and the index itself where there is none. */
export async function ensureIndex(client: Client, spec: IndexSpec): Promise<void> {
  await client.indices.putIndexTemplate({
    name: spec.alias,
    index_patterns: [`${spec.alias}-v*`],
    priority: 200,
    template: { mappings: spec.mappings },
  });
  if (await client.indices.existsAlias({ name: spec.alias })) return;
  try {
    await client.indices.create({ index: nameOf(spec), aliases: { [spec.alias]: { is_write_index: true } } });
  } catch (error) {
    // Another process was first.
    if (!(error instanceof errors.ResponseError) || !error.message.includes('resource_already_exists_exception')) throw error;
  }
}
