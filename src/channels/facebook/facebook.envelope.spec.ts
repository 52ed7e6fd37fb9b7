import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readPageLoads } from './facebook.envelope';
import { parseFacebook } from './facebook.parser';

const folder = join(__dirname, '../../../test/fixtures/facebook/payloads');

it.each(readdirSync(folder))('%s: the door counts as many items as the parser finds', (name) => {
  const body = readFileSync(join(folder, name));
  const items = readPageLoads(body).reduce((sum, load) => sum + load.items, 0);
  expect(items).toBe(parseFacebook(body, 'application/json').length);
});

it('names the page of each entry', () => {
  const body = Buffer.from(
    '{"entry":[{"id":"1","messaging":[1,2],"standby":[3]},{"id":2,"changes":[{"field":"feed"},4]},{},5,{"id":null}]}',
  );
  expect(readPageLoads(body)).toEqual([
    { pageId: '1', items: 3 },
    { pageId: '2', items: 2 },
    { pageId: undefined, items: 0 },
    { pageId: undefined, items: 0 },
    { pageId: undefined, items: 0 },
  ]);
});

it.each([
  ['{"entry":[]}', undefined],
  ['[]', 'malformed_request'],
  ['null', 'malformed_request'],
  ['{"__proto__":{"entry":[]}}', 'malformed_request'],
  ['{"entry":"x"}', 'malformed_request'],
  ['object=page', 'malformed_json'],
  ['\ufeff{"entry":[]}', 'malformed_json'],
  ['['.repeat(1_000_000), 'json_too_deep'],
])('%.40s is refused as %s', (body, code) => {
  const work = (): unknown => readPageLoads(Buffer.from(body));
  if (code === undefined) expect(work()).toEqual([]);
  else expect(work).toThrow(expect.objectContaining({ code }) as Error);
});
