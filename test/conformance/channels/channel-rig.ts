import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request as send } from 'undici';
import { Broker } from '../../../src/broker/broker';
import { eventually } from '../../support/eventually';
import { Receiver } from '../../support/receiver';
import { RestApp } from '../../integration/rest-app';
import type { ChannelDescriptor, ChannelRequest, Door, Variables, Vector } from './channel-descriptor';

export interface DoorAnswer {
  status: number;
  contentType: string;
  text: string;
  headers: Record<string, string | string[] | undefined>;
}

export interface ListedEvent {
  id: string;
  accountId: string;
  application: string;
  eventType: string;
  timestamp: string;
  receivedAt: string;
  status: string;
}

/** The whole application with one channel set up, on embedded engines, and a receiver that its deliveries go to. */
export class ChannelRig {
  private rest: RestApp | undefined;

  private constructor(
    private readonly descriptor: ChannelDescriptor,
    readonly receiver: Receiver,
    private readonly dataDir: string,
  ) {}

  static async start(descriptor: ChannelDescriptor, changes: Variables = {}): Promise<ChannelRig> {
    const rig = new ChannelRig(descriptor, await Receiver.start(), await mkdtemp(join(tmpdir(), 'hookline-channel-')));
    await rig.restart(changes);
    return rig;
  }

  get app(): RestApp {
    if (this.rest === undefined) throw new Error('The application is not running');
    return this.rest;
  }

  get broker(): Broker {
    return this.app.app.get(Broker, { strict: false });
  }

  /** Another process on the same data; an empty variable is as one that is not set. */
  async restart(changes: Variables = {}): Promise<void> {
    await this.rest?.close();
    const variables = { ...this.descriptor.settings(this.receiver.url), ...changes, DATA_DIR: this.dataDir };
    this.rest = await RestApp.start('sqlite', variables);
    await this.descriptor.prepare?.(this.rest);
  }

  async close(): Promise<void> {
    await this.rest?.close();
    await this.receiver.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  async send({ method, path, headers, body }: ChannelRequest): Promise<DoorAnswer> {
    const response = await send(`${this.app.url}${path}`, { method, headers, ...(method === 'POST' && { body }) });
    const contentType = String(response.headers['content-type'] ?? '');
    return { status: response.statusCode, contentType, text: await response.body.text(), headers: response.headers };
  }

  /** Signed. */
  sendTo(door: Door, body: Buffer): Promise<DoorAnswer> {
    return this.send(this.descriptor.sign(requestTo(door, body)));
  }

  /** An account for each identity, `default` for none, each with an endpoint that wants everything. */
  async subscribe(identities: readonly (string | undefined)[]): Promise<void> {
    for (const externalId of new Set(identities)) {
      const accountId = accountOf(externalId);
      if (externalId !== undefined) {
        await this.app.must(201, 'POST', '/api/v1/accounts', { id: accountId });
        await this.app.must(201, 'POST', `/api/v1/accounts/${accountId}/identities`, { channel: this.descriptor.name, externalId });
      }
      const endpoint = { accountId, name: accountId, url: this.receiver.url };
      const { id } = await this.app.must(201, 'POST', '/api/v1/endpoints', endpoint);
      await this.app.must(201, 'POST', '/api/v1/filters', { accountId, name: accountId, endpointIds: [id] });
    }
  }

  /** The channel's line of the ledger, once so many requests have come through and nothing is open. */
  settled(requests: number): Promise<Record<string, number>> {
    return eventually('everything is settled', async () => {
      const { sources, door } = await this.app.must(200, 'GET', '/api/v1/ledger');
      expect(door.dispatched).toBe(requests);
      const line = (sources as Record<string, number>[]).find(({ source }) => String(source) === this.descriptor.name);
      expect(line).toMatchObject({ pending: 0 });
      await this.app.ledger();
      return line!;
    });
  }

  /** All of them, of all accounts. */
  async events(): Promise<ListedEvent[]> {
    return (await this.app.must(200, 'GET', '/api/v1/events?limit=200')).data as ListedEvent[];
  }

  /** Requests that wait in the channel's queues. */
  async waiting(): Promise<number> {
    const { lanes } = await this.app.must(200, 'GET', `/api/v1/channels/${this.descriptor.name}`);
    return (lanes as { depth: number }[]).reduce((sum, { depth }) => sum + depth, 0);
  }
}

export const accountOf = (identity: string | undefined): string =>
  identity === undefined ? 'default' : `of-${Buffer.from(identity).toString('hex').slice(-60)}`;

export const requestTo = (door: Door, body: Buffer): ChannelRequest => ({
  method: 'POST',
  path: door.path,
  headers: { 'content-type': door.contentType },
  body,
});

export const codeOf = ({ text }: DoorAnswer): string => (JSON.parse(text) as { code: string }).code;

const folderOf = (name: string): string => join(__dirname, '../../fixtures', name);

export const payloadNames = (name: string): string[] => readdirSync(join(folderOf(name), 'payloads'));

export const payloadOf = (name: string, file: string): Buffer => readFileSync(join(folderOf(name), 'payloads', file));

export function vectorsOf({ name, vectors }: ChannelDescriptor): Vector[] {
  if (vectors === undefined) return [];
  return (JSON.parse(readFileSync(join(folderOf(name), 'vectors.json'), 'utf8')) as { cases: Vector[] }).cases;
}

/** A payload that the door takes. */
export function sampleOf({ name, doors, payloads }: ChannelDescriptor, door: Door): Buffer {
  const found = Object.entries(payloads).find(([, payload]) => (payload.door ?? doors[0].path) === door.path);
  if (found === undefined) throw new Error(`There is no payload for ${door.path}`);
  return payloadOf(name, found[0]);
}
