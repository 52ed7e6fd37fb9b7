import { ERRORS, type ErrorCode, type FieldProblem, GatewayError } from '../core/errors';

/** RFC 9457, with our stable `code`. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  detail: string;
  requestId: string;
  problems?: FieldProblem[];
}

export const PROBLEM_TYPE = 'application/problem+json';

/** Seconds after which a sender should try again when we are at fault. */
export const RETRY_AFTER_SECONDS = 5;

export function problemOf(error: GatewayError, requestId: string): Problem {
  const { status, title } = ERRORS[error.code];
  return {
    type: `urn:hookline:error:${error.code}`,
    title,
    status,
    code: error.code,
    detail: error.message,
    requestId,
    ...(error.problems !== undefined && { problems: error.problems }),
  };
}

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'malformed_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'not_found',
  408: 'request_timeout',
  409: 'conflict',
  413: 'body_too_large',
  415: 'unsupported_media_type',
  422: 'validation_failed',
  431: 'headers_too_large',
};

/** What libraries throw, by its status; the message of a 5xx may hold internals and is left out. */
export function errorOfStatus(status: number, message: string): GatewayError {
  const code = CODE_OF_STATUS[status] ?? (status >= 400 && status < 500 ? 'malformed_request' : 'internal_error');
  return code === 'internal_error' ? new GatewayError(code) : new GatewayError(code, message);
}
