import type { IncomingHttpHeaders } from 'node:http';
import type { FieldProblem } from '../core/errors';
import type { HmacScheme } from './signing/scheme';

/** All that a preset may read of a request to find out who sent it. */
export interface SignedRequest {
  method: string;
  /** Path and query as they came, without scheme and host. */
  target: string;
  headers: IncomingHttpHeaders;
  /** The bytes as they were signed: inflated, not parsed. */
  body: Buffer;
  /** Who is connected; behind a trusted proxy, whom that names. */
  address: string;
  /** Whether one of `http.trustedProxies` is connected: only then may a header tell of the client. */
  viaProxy: boolean;
}

/** What a source's `verification` holds beside `type`, checked and complete; texts, lists of texts, numbers. */
export interface PresetSettings {
  /** Those that count now, newest first; empty where the preset has none. */
  readonly secrets: readonly string[];
  readonly [field: string]: unknown;
}

/** Where this gateway is called from outside; what is not known is null. */
export interface PresetContext {
  /** `hookServer.publicUrl`. */
  publicUrl: string | null;
}

/** Checks the requests of one source; made at each change of its settings, not at each request. */
export interface Verifier {
  /**
   * @param nowMs By which timestamps are judged: the time of receipt.
   * @returns What the preset knows of the signer beyond "one of ours", such as Twilio's account.
   * @throws GatewayError `signature_missing`, `signature_invalid`, `signature_expired`, `channel_not_configured`.
   */
  assertValid(request: SignedRequest, nowMs: number): string | undefined;
}

/**
 * One field of `verification`. Texts are 1 to 4,096 characters, lists 1 to 100 texts. Of kind `secret` each is sealed and never shown.
 * The one named `secrets` is a list of 1 to 5, newest first, any of which counts; it may be given as one text `secret` as well.
 */
export interface Field {
  kind: 'secret' | 'text' | 'choice' | 'number' | 'list';
  /** For /api/docs and docs/presets.md: what it is, its unit, what is allowed. */
  description: string;
  required?: true;
  /** When it is not given. */
  default?: string | number;
  /** Of a choice. */
  choices?: readonly string[];
  /** @returns What is wrong with a value (of each, in a list), as in "must be …". */
  check?(value: never): string | undefined;
  /** A new one, where it is not given: only of `secrets`, and only where the sender's side lets its user choose. */
  generate?(): string;
}

/** What the sender is answered; `body` may be empty. */
export interface PresetAnswer {
  status: number;
  contentType: string;
  body: string;
  headers?: Readonly<Record<string, string>>;
}

/** What a platform asks at the URL before it sends events, or between them. */
export interface Handshake {
  /** For docs/presets.md: what is asked and answered. */
  title: string;
  /** The only method of such requests. */
  method: 'GET' | 'POST' | 'OPTIONS';
  /** True: it is signed like a webhook and answered only once that was checked. */
  isSigned: boolean;
  /** @returns undefined for what is no handshake. @throws GatewayError `verify_token_mismatch`, `malformed_request`. */
  answer(request: SignedRequest, settings: PresetSettings): PresetAnswer | undefined;
}

/** A request that was let in, as its events are read from it. */
export interface PresetMessage {
  /** Those that `Reading.headers` names, where they were sent. */
  headers: Readonly<Record<string, string>>;
  contentType: string;
  body: Buffer;
}

/** One event as the platform's contract describes it; what is missing the source's settings and the request fill in. */
export interface PresetEvent {
  eventType?: string;
  /** The platform's own key of it. */
  dedupeKey?: string;
  /** ISO 8601. */
  timestamp?: string;
  /** JSON text, cut from the request; what is no JSON is one JSON text (base64 where it is no UTF-8). */
  data: Buffer;
  /** JSON text of what stands around the item. */
  context?: Buffer;
}

/** How events are read; pure. */
export interface Reading {
  /** By lower-case names; they are kept with the body. One that ends in `*` is all that begin so. */
  headers: readonly string[];
  /** For docs/presets.md: where the event type stands, and what the key is made of. */
  eventType: string;
  dedupeKey: string;
  /** @throws GatewayError `malformed_json`, `malformed_request`, `json_too_deep`, `body_too_large` for what can never be read. */
  read(message: PresetMessage): PresetEvent[];
}

/** How one kind of sender signs, names and announces its webhooks. One file each; `presets.ts` lists them. */
export interface Preset {
  /** As in `verification.type`. */
  readonly type: string;
  readonly title: string;
  /** One sentence: what is checked, over what. */
  readonly verifies: string;
  /** The page of its contract. */
  readonly documentation: string;
  readonly fields: Readonly<Record<string, Field>>;
  /** What is wrong with fields together that are right one by one; paths are their names. */
  problems?(settings: PresetSettings): FieldProblem[];
  /** What must be set besides, in words, while without it each request is answered 503 `channel_not_configured`. */
  missing?(settings: PresetSettings, context: PresetContext): string | undefined;
  verifier(settings: PresetSettings, context: PresetContext): Verifier;
  /** How it signs, where that is a keyed hash; undefined where these settings have none. Its keys are `settings.secrets`. */
  scheme?(settings: PresetSettings, context: PresetContext): HmacScheme | undefined;
  readonly handshake?: Handshake;
  /** What it is answered once its webhook is stored; absent: an empty 200. */
  readonly answer?: PresetAnswer;
  readonly reading: Reading;
}
