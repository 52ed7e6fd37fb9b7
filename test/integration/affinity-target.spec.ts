import { Logger } from '@nestjs/common';
import { type ClientRequest, type IncomingMessage, request as send } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { Storage } from '../../src/storage/storage';
import { ENGINES, type Place } from '../conformance/storage/engines';
import { eventually } from '../support/eventually';
import { selfSigned } from '../support/self-signed';
import { Proxy, Target, event, jsonPost, raw } from './affinity-rig';

let place: Place;
let storage: Storage;
const proxies: Proxy[] = [];

const startProxy = async (targetUrl: string): Promise<Proxy> => {
  const proxy = await Proxy.start(storage, targetUrl);
  proxies.push(proxy);
  return proxy;
};

beforeAll(async () => {
  place = await ENGINES[0]!.place();
  storage = await place.open();
});
afterAll(async () => {
  await storage.close();
  await place.release();
});
afterEach(async () => {
  await Promise.all(proxies.splice(0).map((proxy) => proxy.stop()));
});

describe('a target that must not be called', () => {
  /** What the log says of one request. */
  const toldOf = async (targetUrl: string): Promise<string[]> => {
    const proxy = await startProxy(targetUrl);
    const lines: string[] = [];
    const nothing = (): undefined => undefined;
    Logger.overrideLogger({ log: nothing, error: nothing, warn: (line: string) => lines.push(line) });
    expect(await raw(proxy.port, jsonPost(event('A')))).toContain('HTTP/1.1 502');
    Logger.overrideLogger(false);
    return lines;
  };

  it.each(['http://169.254.169.254', 'http://[::ffff:a9fe:a9fe]', 'http://[fd00:ec2::254]'])(
    'is the metadata of a cloud at %s',
    async (url) => {
      expect(await toldOf(url)).toEqual(['The target does not answer (ERR_ADDRESS_REFUSED)']);
    },
  );

  it('is one whose certificate nobody vouches for', async () => {
    let requests = 0;
    const server = createTlsServer(selfSigned(), (_request, response) => {
      requests += 1;
      response.end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `https://localhost:${String((server.address() as AddressInfo).port)}`;
    expect(await toldOf(url)).toEqual(['The target does not answer (DEPTH_ZERO_SELF_SIGNED_CERT)']);
    expect(requests).toBe(0);
    server.close();
    await once(server, 'close');
  });
});

describe('a stream whose reader stands still', () => {
  const CHUNK = Buffer.alloc(65_536, 'x');
  const TOTAL = 128 * 1_048_576;
  /** What sockets of the system hold on the way; far below the whole. */
  const IN_SOCKETS = 48 * 1_048_576;

  let target: Target;
  let proxy: Proxy;

  beforeEach(async () => {
    target = await Target.start();
    proxy = await startProxy(target.url);
  });
  afterEach(() => target.stop());

  /** Writes the whole, as fast as it may. */
  class Source {
    sent = 0;

    async run(to: Writable): Promise<void> {
      for (; this.sent < TOTAL; this.sent += CHUNK.length) if (!to.write(CHUNK)) await once(to, 'drain');
      to.end();
    }

    async standsStill(): Promise<void> {
      let [last, times] = [-1, 0];
      await eventually('the source stands still', () => {
        times = this.sent > 0 && this.sent === last ? times + 1 : 0;
        last = this.sent;
        return times >= 20;
      });
    }
  }

  const lengthOf = async (stream: IncomingMessage): Promise<number> => {
    let length = 0;
    for await (const chunk of stream) length += (chunk as Buffer).length;
    return length;
  };
  const open = (method: string, headers: Record<string, string> = {}): ClientRequest =>
    send({ host: '127.0.0.1', port: proxy.port, method, headers });

  it.each([
    ['PUT', 'text/plain'],
    ['POST', 'application/json'],
  ])('waits outside as a %s of %s', async (method, type) => {
    let length = 0;
    const arrived = new Promise<() => void>((resolve) => {
      target.handle = (request, response) =>
        resolve(() => {
          void lengthOf(request).then((read) => {
            length = read;
            response.end();
          });
        });
    });
    const upload = open(method, { 'content-type': type, 'content-length': String(TOTAL) });
    const answered = once(upload, 'response');
    const source = new Source();
    const sending = source.run(upload);
    const read = await arrived;
    await source.standsStill();
    expect(source.sent).toBeLessThan(IN_SOCKETS);
    read();
    await Promise.all([sending, answered.then(([answer]) => lengthOf(answer as IncomingMessage))]);
    expect(length).toBe(TOTAL);
  });

  it('waits outside as an answer', async () => {
    const source = new Source();
    target.handle = (_request, response) => void source.run(response);
    const download = open('GET').end();
    const [answer] = (await once(download, 'response')) as [IncomingMessage];
    await source.standsStill();
    expect(source.sent).toBeLessThan(IN_SOCKETS);
    expect(await lengthOf(answer)).toBe(TOTAL);
  });
});
