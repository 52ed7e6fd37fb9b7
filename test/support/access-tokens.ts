import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const CLIENT = { id: 'gateway:1', secret: 'p%ss word' };
export const ISSUER = 'https://issuer.example';
export const AUDIENCE = 'hookline';

/** How the server behaves to every question; `answer` is as it should be. */
export type Mood = 'answer' | 'hang' | 'error' | 'not json';

/** An STS, an RFC 7662 endpoint and a JWKS in one server: the far side of each check of access tokens. */
export class AccessTokenServer {
  /** JSON text of each good token's tenantId. */
  readonly tenants = new Map<string, string>();
  mood: Mood = 'answer';
  /** Answers while it is set wait for it. */
  gate: Promise<void> | undefined;
  /** Paths that were asked, tokens included. */
  readonly asked: string[] = [];
  private readonly pairs = new Map<string, { privateKey: KeyObject; publicKey: KeyObject }>();

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => void this.take(request, response));
    this.addKey('first');
  }

  static async start(): Promise<AccessTokenServer> {
    const server = createServer();
    const made = new AccessTokenServer(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return made;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  addKey(kid: string): void {
    this.pairs.set(kid, generateKeyPairSync('rsa', { modulusLength: 2_048 }));
  }

  /** @param claims JSON text, so that a number may have any digits. */
  jwt(claims: string, kid = 'first', header: object = { alg: 'RS256', kid }): string {
    const encode = (text: string): string => Buffer.from(text).toString('base64url');
    const content = `${encode(JSON.stringify(header))}.${encode(claims)}`;
    const signature = sign('sha256', Buffer.from(content), this.pairs.get(kid)?.privateKey as KeyObject);
    return `${content}.${signature.toString('base64url')}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', this.url);
    this.asked.push(request.url ?? '/');
    if (this.mood === 'hang') return;
    await this.gate;
    response.setHeader('content-type', 'application/json');
    if (this.mood === 'error') return void response.writeHead(500).end('{}');
    if (this.mood === 'not json') return void response.end('<html>');
    if (url.pathname === '/sts/oauth/check_token') return this.check(url.searchParams.get('token') ?? '', response);
    if (url.pathname === '/introspect') return this.introspect(request, Buffer.concat(chunks).toString(), response);
    if (url.pathname === '/jwks') return void response.end(JSON.stringify({ keys: this.keys() }));
    response.writeHead(404).end('{}');
  }

  private check(token: string, response: ServerResponse): void {
    const tenant = this.tenants.get(token);
    if (tenant === undefined) response.writeHead(400).end('{"error":"invalid_token"}');
    else response.end(`{"scope":["read"],"tenantId":${tenant},"user_name":"someone"}`);
  }

  private introspect(request: IncomingMessage, body: string, response: ServerResponse): void {
    const wanted = Buffer.from('gateway%3A1:p%25ss+word').toString('base64');
    if (request.headers.authorization !== `Basic ${wanted}`) return void response.writeHead(401).end('{"error":"invalid_client"}');
    const tenant = this.tenants.get(new URLSearchParams(body).get('token') ?? '');
    response.end(tenant === undefined ? '{"active":false}' : `{"active":true,"org":${tenant},"exp":4102444800}`);
  }

  private keys(): object[] {
    return [...this.pairs].map(([kid, { publicKey }]) => ({ ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }));
  }
}
