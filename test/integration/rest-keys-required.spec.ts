import { RestApp } from './rest-app';

describe('every route under /api/v1', () => {
  let app: RestApp;

  beforeAll(async () => (app = await RestApp.start()));
  afterAll(() => app?.close());

  it('asks for a key, and is listed in the document', async () => {
    const routes = app.guardedRoutes();
    const names = routes.map(({ method, path }) => `${method} ${path}`);
    for (const expected of ['POST /api/v1/events', 'POST /api/v1/deliveries/{id}/retry', 'GET /api/v1/ledger', 'GET /api/v1/requests']) {
      expect(names).toContain(expected);
    }
    expect(routes.length).toBeGreaterThan(30);
    for (const { method, path } of routes) {
      const url = path.replaceAll(/\{\w+\}/g, '019346a0-0000-7000-8000-000000000001');
      const body = method === 'GET' || method === 'DELETE' ? undefined : {};
      for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: 'Basic YTpi' }] as Record<string, string>[]) {
        const answer = await app.call(method, url, body, { key: null, headers });
        expect([method, path, answer.status, answer.body.code]).toEqual([method, path, 401, 'unauthorized']);
        expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      }
    }
  });
});
