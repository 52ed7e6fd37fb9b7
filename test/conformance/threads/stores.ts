import { Client, errors } from '@elastic/elasticsearch';
import Mock from '@elastic/elasticsearch-mock';
import { ElasticsearchThreadStore } from '../../../src/threads/elasticsearch/elasticsearch-thread-store';
import { SqlThreadStore } from '../../../src/threads/sql/sql-thread-store';
import { ElasticsearchStandIn } from '../../support/elasticsearch';
import { ENGINES } from '../storage/engines';
import type { StoreUnderTest, ThreadStoreHarness } from './harness';

const ofStorage: StoreUnderTest[] = ENGINES.map((tested) => ({
  name: tested.engine,
  open: async () => {
    const place = await tested.place();
    const storage = await place.open();
    return {
      store: new SqlThreadStore(storage),
      settled: () => Promise.resolve(),
      release: async () => {
        await storage.close();
        await place.release();
      },
    };
  },
}));

/** The client's official mock, with the stand-in's answers. */
function mockOf(standIn: ElasticsearchStandIn): Mock {
  const mock = new Mock();
  const paths = ['/', '/:a', '/:a/:b'];
  for (const method of ['GET', 'HEAD', 'POST', 'PUT']) {
    mock.add({ method, path: paths }, (request) => {
      const { method: verb, path, body } = request as unknown as { method: string; path: string; body: unknown };
      const answer = standIn.handle(verb, path, body);
      if (answer.status < 300) return answer.body;
      // The mock sends it on as the answer that it stands for.
      return new errors.ResponseError({ statusCode: answer.status, body: answer.body, headers: {}, warnings: [], meta: {} as never });
    });
  }
  return mock;
}

const onMock: StoreUnderTest = {
  name: 'elasticsearch, by its client’s mock',
  open: () => {
    const Connection = mockOf(new ElasticsearchStandIn()).getConnection();
    const client = new Client({ node: 'http://localhost:9200', Connection });
    return Promise.resolve({
      store: new ElasticsearchThreadStore(client, 'stand-in'),
      settled: () => Promise.resolve(),
      // The mock's connections are none that could be closed.
      release: () => Promise.resolve(),
    });
  },
};

/** A server of the tests' own: its indices of threads are deleted. */
async function onServer(url: string): Promise<ThreadStoreHarness> {
  const client = new Client({ node: url });
  const index = 'hookline-*';
  const all = { index: ['hookline-statements-v1', 'hookline-threads-v1'], ignore_unavailable: true };
  await client.indices.delete(all);
  return {
    store: new ElasticsearchThreadStore(client, null),
    settled: async () => {
      await client.indices.refresh({ index });
    },
    release: async () => {
      await client.indices.delete(all);
      await client.close();
    },
  };
}

const { ELASTICSEARCH_URL: url } = process.env;

export const STORES: StoreUnderTest[] = [...ofStorage, onMock, ...(url ? [{ name: 'elasticsearch', open: () => onServer(url) }] : [])];
