import type { ErrorCode } from '../../../src/core/errors';
import type { RestApp } from '../../integration/rest-app';

export type Variables = Record<string, string>;

/** One request to a door, signed or not yet. */
export interface ChannelRequest {
  method: 'GET' | 'POST';
  /** With its query. */
  path: string;
  headers: Record<string, string>;
  body: Buffer;
}

/** What one channel is held to; `channelSuite` does the rest. Its fixtures are in test/fixtures/<name>: `payloads/`, `vectors.json`. */
export interface ChannelDescriptor {
  /** The channel, the ledger's source and the settings' section: hookServer.<name>. */
  name: string;
  /** Where it takes POSTs; a payload goes to the first one unless it says otherwise. */
  doors: readonly [Door, ...Door[]];
  /** What it needs to check its senders. @param receiverUrl answers 204 to everything. */
  settings: (receiverUrl: string) => Variables;
  /** Variables without which every door, the handshake's too, answers 503. */
  secrets: readonly string[];
  /** What must be there besides, before anything comes in; done again after each restart. */
  prepare?: (app: RestApp) => Promise<void>;
  /** Does what the platform does to be believed. */
  sign: (request: ChannelRequest) => ChannelRequest;
  /** Where the signature stands, in lower case. */
  signatureHeader: string;
  /** Of a request without the signature, and of one with another; default: signature_missing, signature_invalid. */
  unsigned?: { missing: ErrorCode; wrong: ErrorCode };
  /** What the same request gets when it comes again; default: the door's answer, and its events are duplicates. */
  repeated?: { status: number; code: ErrorCode };
  /** What each file of `payloads` gives. */
  payloads: Readonly<Record<string, Payload>>;
  /** How each scheme of `vectors.json` is tried; absent: there are no vectors. */
  vectors?: Readonly<Record<string, VectorReading>>;
  /** The scheme of the vectors of its handshake, a GET at the first door. */
  handshake?: string;
  /** What only this channel refuses. */
  refusals?: readonly Refusal[];
}

export interface Door {
  path: string;
  contentType: string;
  /** What a stored request is answered. */
  answer: { status: number; contentType?: RegExp; body: string };
  /** Bodies by what they are: signed and of the right type, but nothing that the platform sends; answered 400 `malformed_request`. */
  malformed: Readonly<Record<string, string>>;
}

export interface Payload {
  /** The door's path. */
  door?: string;
  /** In any order. What one file holds twice is listed once. */
  events: readonly ExpectedEvent[];
}

export interface ExpectedEvent {
  /** `<application>.<eventType>`. */
  type: string;
  /** On the platform; mapped to an account of its own. Absent: the event belongs to `default`. */
  identity?: string;
  /** Absent: the time of receipt. */
  timestamp?: string;
  /** How it ends when every account has an endpoint that wants everything; default: `delivered`. */
  status?: 'delivered' | 'filtered' | 'dead';
}

export interface Vector {
  id: string;
  scheme: string;
  secret: string;
  url: string;
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  rawBodyBase64: string;
  valid: boolean;
  /** Of a handshake. */
  expected?: { status: number; body?: string; json?: unknown; contentType?: string; contentTypeNot?: string };
  note: string;
}

/** By a request to the door with its secret set, or, where its URL or its clock is part of what is signed, by the code that checks it. */
export type VectorReading = { settings: (vector: Vector) => Variables } | { holds: (vector: Vector) => boolean };

export interface Refusal {
  what: string;
  /** Unsigned; the suite sends it as it is. */
  request: ChannelRequest;
  status: number;
  code: ErrorCode;
}
