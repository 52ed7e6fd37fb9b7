import { once } from 'node:events';
import { type RequestListener, type Server, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, type Server as TcpServer, type Socket, createServer as createTcpServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { selfSigned } from '../../../../test/support/self-signed';
import type { DeliveryConfig } from '../delivery.config';
import { EgressGuard } from '../egress/egress-guard';
import { HttpSender, type OutgoingRequest } from './http-sender';

const config = { connectTimeoutMs: 5_000 } as DeliveryConfig;
const open = new EgressGuard({ allow: ['127.0.0.0/8'], host: '0.0.0.0' });
const BODY = Buffer.from('{"n":12345678901234567890}');

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listen(server: Server | TcpServer): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const http = (listener: RequestListener): Promise<string> => listen(createServer(listener));
/** A receiver that answers with these bytes, whatever comes. */
const tcp = (onSocket: (socket: Socket) => void): Promise<string> =>
  listen(
    createTcpServer((socket) => {
      socket.on('error', () => undefined);
      closers.push(() => socket.destroy());
      onSocket(socket);
    }),
  );

/** Resolves when the socket is closed, in whatever way. */
const closing = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once('close', () => resolve());
  });

function sender(guard = open): HttpSender {
  const made = new HttpSender(guard, config);
  closers.push(() => made.onApplicationShutdown());
  return made;
}

const request = (url: string, extra: Partial<OutgoingRequest> = {}): OutgoingRequest => ({
  url,
  headers: ['content-type', 'application/json'],
  body: BODY,
  timeoutMs: 5_000,
  ...extra,
});

describe('an answer', () => {
  it('is recorded with status, head and the address that was connected to', async () => {
    let seen: { method: string | undefined; url: string | undefined; body: string; headers: object } | undefined;
    const url = await http((incoming, answer) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        seen = { method: incoming.method, url: incoming.url, body: Buffer.concat(chunks).toString(), headers: incoming.headers };
        answer.writeHead(201).end('made');
      });
    });
    const result = await sender().send(request(`${url}/in?a=b#part`, { headers: ['x-team', 'a'] }));
    expect(result).toMatchObject({ status: 201, code: '201', address: '127.0.0.1', retryAfter: null });
    expect(result.responseHead?.toString()).toBe('made');
    expect(seen).toMatchObject({
      method: 'POST',
      url: '/in?a=b',
      body: BODY.toString(),
      headers: { 'x-team': 'a', 'content-length': '26' },
    });
  });

  it('without a body has no head', async () => {
    const url = await http((_, answer) => answer.writeHead(204).end());
    expect(await sender().send(request(url))).toMatchObject({ code: '204', responseHead: null });
  });

  it('tells Retry-After', async () => {
    const url = await http((_, answer) => answer.writeHead(503, { 'retry-after': '7' }).end());
    expect(await sender().send(request(url))).toMatchObject({ code: '503', retryAfter: '7' });
  });

  it('that redirects is not followed', async () => {
    let canary = 0;
    const target = await http((_, answer) => {
      canary += 1;
      answer.end();
    });
    for (const status of [301, 302, 303, 307, 308]) {
      const url = await http((_, answer) => answer.writeHead(status, { location: target }).end());
      expect(await sender().send(request(url))).toMatchObject({ status, code: String(status) });
    }
    expect(canary).toBe(0);
  });

  it('is never decompressed', async () => {
    const zipped = gzipSync('x'.repeat(100_000));
    const url = await http((_, answer) => answer.writeHead(200, { 'content-encoding': 'gzip' }).end(zipped));
    expect((await sender().send(request(url))).responseHead).toEqual(zipped.subarray(0, 4_096));
  });

  it('is taken by its status after an early hint', async () => {
    const url = await tcp((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')),
    );
    expect(await sender().send(request(url))).toMatchObject({ code: '200', responseHead: Buffer.from('ok') });
  });

  it.each([200, 500])('of %i that never ends is read to 16 KiB and kept to 4', async (status) => {
    let closed: Promise<unknown> | undefined;
    let written = 0;
    const url = await http((incoming, answer) => {
      closed = closing(incoming.socket);
      answer.writeHead(status);
      const more = (): void => {
        while (!answer.destroyed && written < 50_000_000) {
          written += 1_024;
          if (!answer.write('y'.repeat(1_024))) return;
        }
      };
      answer.on('drain', more);
      more();
    });
    const result = await sender().send(request(url));
    expect(result).toMatchObject({ status, code: String(status) });
    expect(result.responseHead?.toString()).toBe('y'.repeat(4_096));
    await closed;
    expect(written).toBeLessThan(50_000_000);
  });

  it.each([200, 503])('of %i whose body hangs is what its status says, in time', async (status) => {
    const url = await http((_, answer) => answer.writeHead(status, { 'content-length': 10 }).write('a'));
    expect(await sender().send(request(url, { timeoutMs: 150 }))).toMatchObject({ status, responseHead: Buffer.from('a') });
  });
});

describe('no answer', () => {
  it('after the whole time is a timeout, and the connection is closed', async () => {
    let closed: Promise<unknown> | undefined;
    const url = await http((incoming) => {
      closed = closing(incoming.socket);
    });
    expect(await sender().send(request(url, { timeoutMs: 100 }))).toMatchObject({ status: null, code: 'timeout', address: '127.0.0.1' });
    await closed;
  });

  it('byte by byte in the headers is a timeout', async () => {
    const url = await tcp((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nx: ');
      const timer = setInterval(() => socket.write('a'), 20);
      socket.on('close', () => clearInterval(timer));
    });
    expect(await sender().send(request(url, { timeoutMs: 200 }))).toMatchObject({ status: null, code: 'timeout' });
  });

  it.each([
    { title: 'a reset', answer: (socket: Socket) => socket.resetAndDestroy(), code: 'connection_reset' },
    { title: 'an end', answer: (socket: Socket) => socket.end(), code: 'connection_reset' },
    { title: 'no HTTP', answer: (socket: Socket) => socket.end('hello there\r\n\r\n'), code: 'invalid_response' },
    {
      title: 'headers of 64 KiB',
      answer: (socket: Socket) => socket.end(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(65_536)}\r\n\r\n`),
      code: 'invalid_response',
    },
    { title: '100 Continue unasked', answer: (socket: Socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n'), code: 'connection_reset' },
    {
      title: 'a switch of protocols',
      answer: (socket: Socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
      code: 'connection_reset',
    },
  ])('but $title is $code', async ({ answer, code }) => {
    const url = await tcp((socket) => socket.once('data', () => answer(socket)));
    expect(await sender().send(request(url))).toMatchObject({ status: null, code });
  });

  it('from a port where nobody listens', async () => {
    const url = await http(() => undefined);
    for (const close of closers.splice(0)) close();
    expect(await sender().send(request(url))).toMatchObject({ status: null, code: 'connection_refused', address: null });
  });

  it('over TLS from who speaks none', async () => {
    const url = await tcp((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    expect(await sender().send(request(url.replace('http:', 'https:')))).toMatchObject({ status: null, code: 'tls_error' });
  });

  it('over TLS from who vouches for itself: nothing of the request is sent', async () => {
    let requests = 0;
    const url = await listen(
      createTlsServer(selfSigned(), (_, answer) => {
        requests += 1;
        answer.end();
      }),
    );
    for (const target of [url, url.replace('127.0.0.1', 'localhost')]) {
      const used = sender(new EgressGuard({ allow: null, host: '127.0.0.1' }));
      expect(await used.send(request(target.replace('http:', 'https:')))).toMatchObject({ status: null, code: 'tls_error' });
    }
    expect(requests).toBe(0);
  });

  it('to the TLS handshake ends long before the whole time', async () => {
    const url = await tcp(() => undefined);
    const used = new HttpSender(open, { connectTimeoutMs: 200 } as DeliveryConfig);
    closers.push(() => used.onApplicationShutdown());
    const result = await used.send(request(url.replace('http:', 'https:'), { timeoutMs: 60_000 }));
    expect(result).toMatchObject({ status: null, code: 'connect_timeout', address: null });
  });

  it('from a name that does not exist', async () => {
    const guard = new EgressGuard({
      allow: null,
      host: '0.0.0.0',
      resolve: (_name, callback) => callback(Object.assign(new Error('none'), { code: 'ENOTFOUND' }), []),
    });
    expect(await sender(guard).send(request('http://nowhere.example/'))).toMatchObject({ code: 'dns_error', address: null });
  });

  it('from a name that is never resolved is cut off by the whole time', async () => {
    const guard = new EgressGuard({ allow: null, host: '0.0.0.0', resolve: () => undefined });
    expect(await sender(guard).send(request('http://slow.example/', { timeoutMs: 100 }))).toMatchObject({ code: 'timeout', address: null });
  });
});

describe('what is kept of an answer from this machine', () => {
  const loopback = ['127.0.0.0/8'];

  it.each([
    { title: 'opened by EGRESS_ALLOW', rules: { allow: loopback, host: '0.0.0.0', isPublic: true }, kept: true },
    { title: 'open for a first try', rules: { allow: null, host: '127.0.0.1', isPublic: false }, kept: true },
    {
      title: 'open by default though the outside reaches the gateway',
      rules: { allow: null, host: '127.0.0.1', isPublic: true },
      kept: false,
    },
  ])('$title: $kept', async ({ rules, kept }) => {
    for (const status of [200, 404, 500]) {
      const url = await http((_, answer) => answer.writeHead(status).end('inside'));
      const result = await sender(new EgressGuard(rules)).send(request(url));
      expect(result).toMatchObject({ status, address: '127.0.0.1', responseHead: kept ? Buffer.from('inside') : null });
    }
  });
});

describe('a URL of the operator’s settings', () => {
  const closed = new EgressGuard({ allow: [], host: '0.0.0.0' });

  it('may lead into a closed network, over a connection that no other URL gets', async () => {
    const url = await http((_, answer) => answer.end('inside'));
    const used = sender(closed);
    const own = await used.send({ ...request(url), isOperators: true });
    expect(own).toMatchObject({ status: 200, address: '127.0.0.1', responseHead: null });
    expect(await used.send(request(url))).toMatchObject({ status: null, code: 'address_refused' });
  });

  it.each(['http://169.254.169.254/', 'http://[fd00:ec2::254]/', 'http://metadata.google.internal/'])('may not be %s', async (url) => {
    expect(await sender(closed).send({ ...request(url), isOperators: true })).toMatchObject({ status: null, code: 'address_refused' });
  });
});

describe('what is not sent', () => {
  it('goes to a refused address: no connection is made', async () => {
    let connections = 0;
    const url = await tcp(() => (connections += 1));
    const closed = new EgressGuard({ allow: [], host: '127.0.0.1' });
    const targets = [
      url,
      url.replace('127.0.0.1', '2130706433'),
      url.replace('127.0.0.1', 'localhost'),
      url.replace('127.0.0.1', '[::ffff:7f00:1]'),
    ];
    for (const target of targets) {
      expect(await sender(closed).send(request(target))).toMatchObject({
        status: null,
        code: 'address_refused',
        address: null,
        responseHead: null,
      });
    }
    expect(connections).toBe(0);
  });

  it.each(['ftp://example.com/', 'http://user:pass@127.0.0.1/', 'nothing'])('is for %s', async (url) => {
    expect(await sender().send(request(url))).toMatchObject({ code: 'address_refused' });
  });

  it('has a header that cannot be', async () => {
    const url = await http((_, answer) => answer.end());
    expect(await sender().send(request(url, { headers: ['x', 'a\r\nb: c'] }))).toMatchObject({ code: 'invalid_request' });
  });
});

describe('connections', () => {
  it('are used again one after the other, and never for two attempts at once', async () => {
    let connections = 0;
    const server = createServer((incoming, answer) => {
      incoming.resume();
      incoming.on('end', () => answer.end('ok'));
    }).on('connection', () => (connections += 1));
    const url = await listen(server);
    const used = sender();
    for (let i = 0; i < 20; i++) expect((await used.send(request(url))).code).toBe('200');
    expect(connections).toBe(1);
    await Promise.all(Array.from({ length: 10 }, () => used.send(request(url))));
    expect(connections).toBe(10);
  });

  it('are closed with the sender', async () => {
    let closed: Promise<unknown> | undefined;
    const url = await http((incoming, answer) => {
      closed = closing(incoming.socket);
      answer.end();
    });
    const used = sender();
    await used.send(request(url));
    used.onApplicationShutdown();
    await closed;
  });
});
