/** The short code that an attempt without an answer is recorded with. */
export type FailureCode =
  | 'timeout'
  | 'connect_timeout'
  | 'connection_refused'
  | 'connection_reset'
  | 'unreachable'
  | 'dns_error'
  /** No resolver answered: it says nothing about the name. */
  | 'dns_unavailable'
  /** Nothing left this machine: no route, a firewall of its own, no more sockets. */
  | 'local_error'
  | 'tls_error'
  | 'address_refused'
  | 'invalid_response'
  | 'invalid_request'
  | 'network_error';

const CODES: readonly [pattern: RegExp, code: FailureCode][] = [
  [/^ERR_ADDRESS_REFUSED$/, 'address_refused'],
  [/^UND_ERR_CONNECT_TIMEOUT$/, 'connect_timeout'],
  [/^ETIMEDOUT$/, 'connect_timeout'],
  [/^ECONNREFUSED$/, 'connection_refused'],
  [/^(ECONNRESET|EPIPE|ECONNABORTED|UND_ERR_SOCKET)$/, 'connection_reset'],
  [/^(EHOSTUNREACH|EHOSTDOWN)$/, 'unreachable'],
  [/^(ENETUNREACH|ENETDOWN|EADDRNOTAVAIL|EACCES|EPERM|EMFILE|ENFILE|ENOBUFS|ENOMEM)$/, 'local_error'],
  [/^(ENOTFOUND|ENODATA)$/, 'dns_error'],
  [/^EAI_.*$/, 'dns_unavailable'],
  [/^(ERR_TLS_.*|ERR_SSL_.*|CERT_.*|CRL_.*|UNABLE_TO_.*|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN)$/, 'tls_error'],
  [/^(HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|EPROTO)$/, 'tls_error'],
  [/^(HPE.*|UND_ERR_HEADERS_OVERFLOW|UND_ERR_RES_.*|UND_ERR_RESPONSE.*)$/, 'invalid_response'],
  [/^(UND_ERR_INVALID_ARG|UND_ERR_NOT_SUPPORTED|UND_ERR_REQ_.*|ERR_INVALID_.*)$/, 'invalid_request'],
];

/** Never throws: what it does not know is a `network_error`. */
export function failureCodeOf(error: unknown): FailureCode {
  const code = errorCode(error);
  return CODES.find(([pattern]) => pattern.test(code))?.[1] ?? 'network_error';
}

function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { name, code, errors } = error as { name?: unknown; code?: unknown; errors?: unknown };
  // undici leaves the code of some of these undefined.
  if (name === 'HTTPParserError') return 'HPE';
  if (typeof code === 'string' && code !== '') return code;
  // Several addresses were tried and each failed in its own way; the first is what the name's owner prefers.
  return Array.isArray(errors) ? errorCode(errors[0]) : '';
}
