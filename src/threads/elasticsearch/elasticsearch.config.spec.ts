import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ElasticsearchConfig, clientOptions } from './elasticsearch.config';
import { loadConfig } from '../../config/load-config';

const folder = mkdtempSync(join(tmpdir(), 'hookline-nested-'));
afterAll(() => rmSync(folder, { recursive: true }));

const read = (yaml: string, env: NodeJS.ProcessEnv = {}): ElasticsearchConfig => {
  const file = join(folder, 'settings.yaml');
  writeFileSync(file, yaml);
  return loadConfig({ CONFIG_FILE: file, ...env }).section(ElasticsearchConfig);
};

const SETTINGS = `
  host: [es1, es2]
  httpPort: 9201
  port: 9300
  clusterName: main
  secure: true
  username: hooks
  password: swordfish`;

it.each([
  ['as they are', `elasticsearch:${SETTINGS}`],
  ['below the version that older files name', `elasticsearch:\n  v6.5:${SETTINGS.replaceAll('\n', '\n  ')}`],
])('reads the settings of Elasticsearch %s', (_what, yaml) => {
  expect(clientOptions(read(yaml))).toMatchObject({
    nodes: ['https://es1:9201', 'https://es2:9201'],
    auth: { username: 'hooks', password: 'swordfish' },
  });
});

it('takes ELASTICSEARCH_URL before them', () => {
  const config = read(`elasticsearch:${SETTINGS}`, { ELASTICSEARCH_URL: 'http://a:1, https://u:p@b:2' });
  expect(clientOptions(config)?.nodes).toEqual(['http://a:1', 'https://u:p@b:2']);
});

it('needs none', () => {
  expect(clientOptions(read(''))).toBeUndefined();
});

it.each([
  ['elasticsearch:\n  v6.5:\n    hots: [a]', /elasticsearch.hots: unknown setting/],
  ['elasticsearch:\n  v6.5: es1', /elasticsearch.v6.5: allowed: a map/],
  ['elasticsearch:\n  v7:\n    host: [a]', /elasticsearch.v7: unknown setting/],
  ['elasticsearch:\n  url: ftp://a', /elasticsearch.url is \*\*\*/],
])('refuses %j', (yaml, problem) => {
  expect(() => read(yaml)).toThrow(problem);
});
