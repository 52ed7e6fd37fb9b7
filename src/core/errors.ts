/**
 * Every error that leaves the gateway has one of these codes. The status is the one it maps to over HTTP; our own
 * faults are 5xx, the caller's 4xx. docs/errors.md lists the same table, and a test compares the two.
 */
export const ERRORS = {
  malformed_request: { status: 400, title: 'The request cannot be read', remedy: 'Compare the request with /api/docs.' },
  malformed_json: { status: 400, title: 'The body is not JSON', remedy: 'Send one JSON value in UTF-8.' },
  json_too_deep: { status: 400, title: 'The JSON is nested too deeply', remedy: 'Send at most 64 levels of nesting.' },
  webhook_unknown: {
    status: 400,
    title: 'There is no webhook of these tokens',
    remedy: 'Compare the URL with the hookUrl that was made for it; it may have been deleted.',
  },
  unauthorized: {
    status: 401,
    title: 'The API key is missing or unknown',
    remedy: 'Send `Authorization: Bearer <key>` with a key that has not been revoked.',
  },
  signature_missing: {
    status: 401,
    title: 'The signature is missing',
    remedy: 'Let the sender sign its requests; compare its signing settings with the channel’s page.',
  },
  signature_invalid: {
    status: 401,
    title: 'The signature does not match',
    remedy: 'Compare the secret on both sides, and that no proxy changes the body.',
  },
  signature_expired: {
    status: 401,
    title: 'The signature is of another time',
    remedy: 'Compare the clocks of both sides; the detail says how far they are apart, or how late the request came.',
  },
  otp_missing: { status: 401, title: 'The one-time password is missing', remedy: 'Send the code of this moment in `X-OTP`.' },
  otp_invalid: {
    status: 401,
    title: 'The one-time password is wrong',
    remedy: 'Compare the secret on both sides, and the clocks: a code counts for its 30 s and the 30 s before and after.',
  },
  verify_token_mismatch: {
    status: 403,
    title: 'The verify token does not match',
    remedy: 'Enter the same verify token on the platform and in the settings.',
  },
  forbidden: { status: 403, title: 'This key may not do that', remedy: 'Use an admin key.' },
  not_found: {
    status: 404,
    title: 'There is no such thing',
    remedy: 'Check the path and the id, and that the key belongs to the same account.',
  },
  request_timeout: { status: 408, title: 'The request did not arrive in time', remedy: 'Send headers and body without long pauses.' },
  conflict: { status: 409, title: 'The state does not allow this', remedy: 'Read the object again and decide by its present state.' },
  otp_replayed: {
    status: 409,
    title: 'This request was accepted before with this code',
    remedy: 'Do nothing: it is stored. A new request of the same content needs a new code.',
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large',
    remedy: 'Send at most `http.maxBodyBytes` bytes, counted after decompression.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The content type is not accepted here',
    remedy: 'Send the content type that the detail names.',
  },
  unsupported_encoding: {
    status: 415,
    title: 'The content encoding is not accepted',
    remedy: 'Send the body plain or with one `Content-Encoding: gzip`.',
  },
  validation_failed: { status: 422, title: 'The content is not valid', remedy: 'Mend the fields that `problems` names.' },
  idempotency_key_reused: {
    status: 422,
    title: 'The Idempotency-Key was used with another body',
    remedy: 'Use a new key for a new request.',
  },
  address_refused: {
    status: 422,
    title: 'The URL leads to an address that must not be called',
    remedy: 'Use a public address, or open the network with EGRESS_ALLOW.',
  },
  request_incomplete: {
    status: 422,
    title: 'Too little was kept of this request to take it in',
    remedy: 'Let the sender send it again, or raise `refusals.maxBodyBytes` for those that come.',
  },
  still_refused: {
    status: 422,
    title: 'The door refuses this request again',
    remedy: 'Ask for its diagnosis, mend what it names, then accept it again.',
  },
  cause_not_proven: {
    status: 422,
    title: 'The diagnosis does not prove this cause',
    remedy: 'Ask for the diagnosis and name a cause that says `acceptable`.',
  },
  rate_limited: { status: 429, title: 'Too many of these at once', remedy: 'Ask again after Retry-After.' },
  otp_locked: {
    status: 429,
    title: 'Too many wrong one-time passwords from this address',
    remedy: 'Mend the secret or the clock, then send again after Retry-After.',
  },
  headers_too_large: { status: 431, title: 'The headers are too large', remedy: 'Send at most 16 KiB of headers.' },
  internal_error: { status: 500, title: 'The gateway made a mistake', remedy: 'Look up the request id in the log and report it.' },
  secret_unreadable: {
    status: 500,
    title: 'A sealed secret cannot be opened',
    remedy: 'Give the gateway every key that sealed secrets (SECRETS_ENCRYPTION_KEYS), or renew what is sealed.',
  },
  target_unreachable: {
    status: 502,
    title: 'The affinity proxy’s target cannot be reached',
    remedy: 'Check that the target runs, and `affinity.targetUrl`.',
  },
  broker_unavailable: { status: 503, title: 'The broker is away', remedy: 'Send the request again after Retry-After.' },
  storage_unavailable: { status: 503, title: 'The storage is away', remedy: 'Send the request again after Retry-After.' },
  thread_store_unavailable: { status: 503, title: 'The store of threads is away', remedy: 'Send the request again after Retry-After.' },
  token_check_unavailable: {
    status: 503,
    title: 'Access tokens cannot be checked now',
    remedy: 'Send the request again after Retry-After; check that the service which `sts` or `accessTokens` names answers.',
  },
  channel_not_configured: {
    status: 503,
    title: 'A setting that checks the sender is missing',
    remedy: 'Set what the detail names, or switch the channel or source off.',
  },
  shutting_down: { status: 503, title: 'This process is shutting down', remedy: 'Send the request again; another process answers.' },
  target_timeout: {
    status: 504,
    title: 'The affinity proxy’s target did not answer in time',
    remedy: 'Let the target answer before it works, or raise `affinity.timeoutMs`.',
  },
} as const satisfies Record<string, { status: number; title: string; remedy: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** One field that is wrong: where (a path such as `filters[0].levels`) and why. */
export interface FieldProblem {
  path: string;
  message: string;
}

/** An error names no more than these: a body of 3 MiB may have hundreds of thousands of wrong fields. */
export const MAX_PROBLEMS = 100;

export interface GatewayErrorOptions extends ErrorOptions {
  problems?: FieldProblem[];
  /** When the caller may try again, where that is known better than by the status. */
  retryAfterSeconds?: number;
}

/** An error with a stable code. Its message is for the caller: it says what happened and holds no secret. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly problems: FieldProblem[] | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string = ERRORS[code].title,
    options: GatewayErrorOptions = {},
  ) {
    super(message, options);
    this.problems = options.problems?.slice(0, MAX_PROBLEMS);
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}

/** True when a part that we depend on is away: no verdict on the message or request that met it. */
export const isOutage = (error: unknown): boolean => error instanceof GatewayError && OUTAGES.has(error.code);

const OUTAGES: ReadonlySet<ErrorCode> = new Set(['storage_unavailable', 'broker_unavailable', 'thread_store_unavailable']);
