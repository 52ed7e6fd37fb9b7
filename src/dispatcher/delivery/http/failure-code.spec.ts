import { failureCodeOf } from './failure-code';

const error = (code: string): Error => Object.assign(new Error('x'), { code });

describe('failureCodeOf', () => {
  it.each([
    ['ECONNREFUSED', 'connection_refused'],
    ['ECONNRESET', 'connection_reset'],
    ['EPIPE', 'connection_reset'],
    ['UND_ERR_SOCKET', 'connection_reset'],
    ['UND_ERR_CONNECT_TIMEOUT', 'connect_timeout'],
    ['ENOTFOUND', 'dns_error'],
    ['EAI_AGAIN', 'dns_unavailable'],
    ['EHOSTUNREACH', 'unreachable'],
    ['ENETUNREACH', 'local_error'],
    ['EMFILE', 'local_error'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls_error'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls_error'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls_error'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls_error'],
    ['CERT_HAS_EXPIRED', 'tls_error'],
    ['ERR_ADDRESS_REFUSED', 'address_refused'],
    ['HPE_INVALID_CONSTANT', 'invalid_response'],
    ['UND_ERR_HEADERS_OVERFLOW', 'invalid_response'],
    ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'invalid_response'],
    ['UND_ERR_INVALID_ARG', 'invalid_request'],
    ['SOMETHING_NEW', 'network_error'],
  ])('%s is %s', (code, expected) => {
    expect(failureCodeOf(error(code))).toBe(expected);
  });

  it('looks into an error of several', () => {
    expect(failureCodeOf(new AggregateError([error('ECONNREFUSED'), error('ENETUNREACH')]))).toBe('connection_refused');
  });

  it.each([[undefined], ['text'], [new Error('no code')], [new AggregateError([])]])('takes anything: %p', (thrown) => {
    expect(failureCodeOf(thrown)).toBe('network_error');
  });
});
