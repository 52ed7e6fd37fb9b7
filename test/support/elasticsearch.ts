import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Document, type Query, type SearchRequest, aggregate, matches, page } from './elasticsearch-search';

export interface EsAnswer {
  status: number;
  body: object;
}

interface Stored {
  source: Document;
  version: number;
}

type BulkHeader = { create?: BulkTarget; index?: BulkTarget };
interface BulkTarget {
  _index: string;
  _id: string;
  version?: number;
  version_type?: 'external';
}

/** A keyword longer than this is an "immense term". */
const MAX_KEYWORD_BYTES = 32_766;

/** As much of Elasticsearch as the store of threads speaks to, in memory; answers to its client's mock, or over HTTP. */
export class ElasticsearchStandIn {
  readonly templates = new Map<string, object>();
  /** Index by alias. */
  readonly aliases = new Map<string, string>();
  /** Bulk requests that came in. */
  bulks = 0;
  /** So many items are answered 429 from now on. */
  busyItems = 0;
  private readonly indices = new Map<string, Map<string, Stored>>();
  private server: Server | undefined;

  /** @param body of `_bulk` the lines, else the JSON. */
  handle(method: string, path: string, body: unknown): EsAnswer {
    const [, first = '', second] = path.split('/').map(decodeURIComponent);
    if (first === '') return ok({ cluster_name: 'stand-in', version: { number: '8.19.0' }, tagline: 'You Know, for Search' });
    if (first === '_index_template') {
      this.templates.set(second ?? '', body as object);
      return ok({ acknowledged: true });
    }
    if (first === '_alias') return this.aliases.has(second ?? '') ? ok({}) : { status: 404, body: {} };
    if (first === '_bulk') return this.bulk(body as object[]);
    if (second === undefined && method === 'PUT') return this.create(first, body as { aliases: object });
    const documents = this.indices.get(this.aliases.get(first) ?? first);
    if (documents === undefined) return failed(404, 'index_not_found_exception', `no such index [${first}]`);
    if (second === '_search') return this.search(documents, body as SearchRequest);
    if (second === '_delete_by_query') return this.deleteByQuery(documents, body as { query: Query });
    if (second === '_refresh') return ok({});
    return failed(400, 'illegal_argument_exception', `${method} ${path}`);
  }

  /** Everything that is stored under an alias, by id. */
  documents(alias: string): ReadonlyMap<string, Stored> {
    return this.indices.get(this.aliases.get(alias) ?? '') ?? new Map<string, Stored>();
  }

  /** As if an operator had deleted everything. */
  forget(): void {
    this.indices.clear();
    this.aliases.clear();
  }

  /** Over HTTP, on loopback. @returns its URL. */
  async listen(): Promise<string> {
    this.server = createServer((request, response) => void this.answer(request, response));
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server?.closeAllConnections();
    this.server?.close();
    await (this.server && once(this.server, 'close'));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const [path = ''] = (request.url ?? '').split('?');
    const isLines = request.headers['content-type']?.includes('x-ndjson') ?? false;
    const body: unknown = isLines
      ? text
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line) as unknown)
      : text && JSON.parse(text);
    const answer = this.handle(request.method ?? 'GET', path, body);
    response.writeHead(answer.status, {
      'content-type': 'application/vnd.elasticsearch+json;compatible-with=8',
      'x-elastic-product': 'Elasticsearch',
    });
    response.end(request.method === 'HEAD' ? undefined : JSON.stringify(answer.body));
  }

  private create(index: string, { aliases }: { aliases: object }): EsAnswer {
    if (this.indices.has(index)) return failed(400, 'resource_already_exists_exception', `index [${index}] already exists`);
    this.indices.set(index, new Map());
    for (const alias of Object.keys(aliases)) this.aliases.set(alias, index);
    return ok({ acknowledged: true });
  }

  private bulk(lines: object[]): EsAnswer {
    this.bulks += 1;
    const items: object[] = [];
    for (let at = 0; at < lines.length; at += 2) {
      const header = lines[at] as BulkHeader;
      const action = header.create ? 'create' : 'index';
      items.push({ [action]: this.write(header, lines[at + 1] as Document) });
    }
    return ok({ took: 1, errors: items.some((item) => JSON.stringify(item).includes('"error"')), items });
  }

  private write({ create, index }: BulkHeader, source: Document): object {
    const target = create ?? index!;
    const documents = this.indices.get(this.aliases.get(target._index) ?? '');
    if (documents === undefined) return itemFailed(404, 'index_not_found_exception');
    if (this.busyItems > 0) {
      this.busyItems -= 1;
      return itemFailed(429, 'es_rejected_execution_exception');
    }
    const keywords = [source['author'], source['threadId']].filter((value) => typeof value === 'string');
    if (keywords.some((value) => Buffer.byteLength(value) > MAX_KEYWORD_BYTES)) return itemFailed(400, 'illegal_argument_exception');
    const present = documents.get(target._id);
    if (present && (create || (target.version ?? 0) <= present.version)) return itemFailed(409, 'version_conflict_engine_exception');
    documents.set(target._id, { source, version: target.version ?? 1 });
    return { _id: target._id, status: 201 };
  }

  private search(documents: ReadonlyMap<string, Stored>, request: SearchRequest): EsAnswer {
    const found = [...documents].filter(([id, { source }]) => matches(request.query, id, source));
    const hits = page(request, found).map(([_id, { source }]) => ({ _id, _source: source }));
    const sources = found.map(([, { source }]) => source);
    return ok({ hits: { hits }, ...(request.aggs && { aggregations: aggregate(request.aggs, sources) }) });
  }

  private deleteByQuery(documents: Map<string, Stored>, { query }: { query: Query }): EsAnswer {
    const found = [...documents].filter(([id, { source }]) => matches(query, id, source));
    for (const [id] of found) documents.delete(id);
    return ok({ deleted: found.length });
  }
}

const ok = (body: object): EsAnswer => ({ status: 200, body });
const failed = (status: number, type: string, reason: string): EsAnswer => ({ status, body: { error: { type, reason }, status } });
const itemFailed = (status: number, type: string): object => ({ status, error: { type, reason: 'by the stand-in' } });
