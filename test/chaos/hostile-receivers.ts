import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { SELF_SIGNED } from './self-signed';

/** What a hostile receiver does, and how an attempt there is to be recorded. */
export interface Hostility {
  what: string;
  /** The attempt's code. */
  code: string;
  status: 'delivered' | 'dead';
  serve: () => Promise<HostileReceiver>;
}

export interface HostileReceiver {
  url: string;
  /** Connections that the gateway holds open. */
  open(): number;
  stop(): Promise<void>;
}

const DRIP_MS = 1_000;
const OK = 'HTTP/1.1 200 OK\r\n';

/** Calls `react` when a request's head has come; what it sends is up to it. */
function raw(react: (socket: Socket, url: string) => void): () => Promise<HostileReceiver> {
  return async () => {
    let url = '';
    const receiver = await listening(
      createServer((socket) => {
        socket.once('data', () => react(socket, url));
      }),
    );
    ({ url } = receiver);
    return receiver;
  };
}

async function listening(server: Server, scheme = 'http'): Promise<HostileReceiver> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  return { url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`, open: () => sockets.size, stop };
}

/** One byte a second, for ever. */
function drip(socket: Socket): void {
  const timer = setInterval(() => socket.write('x'), DRIP_MS);
  socket.once('close', () => clearInterval(timer));
}

function flood(socket: Socket): void {
  const chunk = Buffer.alloc(1_048_576);
  const pour = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', pour);
  pour();
}

/** A stopped process: the system completes connections until its short backlog is full, then lets them hang. */
async function neverAccepts(): Promise<HostileReceiver> {
  const script =
    "const s=require('net').createServer().listen({port:0,host:'127.0.0.1',backlog:1},()=>{console.log(s.address().port);process.kill(process.pid,'SIGSTOP')})";
  const child: ChildProcess = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'ignore'] });
  if (!child.stdout) throw new Error('The child has no output.');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  const fillers = Array.from({ length: 16 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  await once(fillers[0] as Socket, 'connect');
  const stop = async (): Promise<void> => {
    for (const filler of fillers) filler.destroy();
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return { url: `http://127.0.0.1:${port}/hooks`, open: () => 0, stop };
}

export const HOSTILITIES: readonly Hostility[] = [
  { what: 'never accepts a connection', code: 'connect_timeout', status: 'dead', serve: neverAccepts },
  { what: 'never answers', code: 'timeout', status: 'dead', serve: raw(() => undefined) },
  {
    what: 'sends its headers a byte a second',
    code: 'timeout',
    status: 'dead',
    serve: raw((socket) => {
      socket.write(`${OK}x-slow: `);
      drip(socket);
    }),
  },
  {
    // The status line is the answer; the body is only for the record.
    what: 'sends its body a byte a second',
    code: '200',
    status: 'delivered',
    serve: raw((socket) => {
      socket.write(`${OK}content-length: 1000000\r\n\r\n`);
      drip(socket);
    }),
  },
  {
    what: 'sends a body of 10 GB',
    code: '200',
    status: 'delivered',
    serve: raw((socket) => {
      socket.write(`${OK}content-length: 10737418240\r\n\r\n`);
      flood(socket);
    }),
  },
  {
    what: 'sends headers without end',
    code: 'invalid_response',
    status: 'dead',
    serve: raw((socket) => {
      socket.write(OK);
      socket.write(`x-long: ${'x'.repeat(65_536)}\r\n\r\n`);
    }),
  },
  {
    what: 'resets the connection when the request has come',
    code: 'connection_reset',
    status: 'dead',
    serve: raw((socket) => socket.resetAndDestroy()),
  },
  {
    what: 'resets the connection in the middle of its status line',
    code: 'connection_reset',
    status: 'dead',
    serve: raw((socket) => socket.write('HTTP/1.1 20', () => socket.resetAndDestroy())),
  },
  {
    what: 'redirects to itself',
    code: '301',
    status: 'dead',
    serve: raw((socket, url) => socket.end(`HTTP/1.1 301 Moved Permanently\r\nlocation: ${url}\r\ncontent-length: 0\r\n\r\n`)),
  },
  {
    what: 'says 100 Continue and nothing more',
    code: 'connection_reset',
    status: 'dead',
    serve: raw((socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n')),
  },
  {
    what: 'speaks no HTTP',
    code: 'invalid_response',
    status: 'dead',
    serve: raw((socket) => socket.write('220 mail.example ESMTP\r\n')),
  },
  {
    what: 'has a certificate of its own making',
    code: 'tls_error',
    status: 'dead',
    serve: () => listening(createTlsServer(SELF_SIGNED), 'https'),
  },
];
