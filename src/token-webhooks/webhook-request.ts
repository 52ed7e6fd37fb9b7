import { GatewayError } from '../core/errors';
import { readPath } from '../core/field-path';
import { readJson } from '../http/validate';
import { problemOfDatasource, problemOfEvent } from './reading/routing-key';

/** What a tenant asks for. */
export interface WebhookRequest {
  datasource: string;
  event: string;
  /** Undefined: it stays as it is; null: there is none any more. */
  tsField: string | null | undefined;
  server: string;
}

const MAX_TS_FIELD_LENGTH = 256;
/** A host name or IPv4 address, maybe with a port: it becomes a part of URLs. */
const HOST = /^(?=[^:]{1,253}(?::|$))[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*(?::[1-9]\d{0,4})?$/i;
const CONTROL = /\p{C}/u;

/** @throws GatewayError `malformed_request`, `malformed_json`, `json_too_deep`. */
export function readWebhookRequest(body: Buffer, server: string | undefined): WebhookRequest {
  const fields = readJson(body);
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) throw malformed('The body must be a JSON object');
  const { datasource, event, tsField } = fields as Record<string, unknown>;
  return {
    datasource: nameOf('datasource', datasource, problemOfDatasource),
    event: nameOf('event', event, problemOfEvent),
    tsField: tsFieldOf(tsField),
    server: serverOf(server),
  };
}

function nameOf(field: string, value: unknown, problemOf: (text: string) => string | undefined): string {
  if (value === undefined || value === null || value === '') throw malformed(`${field} is missing`);
  if (typeof value !== 'string') throw malformed(`${field} must be a string`);
  const problem = problemOf(value);
  if (problem !== undefined) throw malformed(`${field} ${problem}`);
  return value;
}

function tsFieldOf(value: unknown): WebhookRequest['tsField'] {
  if (value === undefined || value === null) return undefined;
  if (value === '') return null;
  if (typeof value !== 'string' || value.length > MAX_TS_FIELD_LENGTH || CONTROL.test(value) || readPath(value) === undefined) {
    throw malformed(`tsField must be a path such as commits[0].timestamp, of at most ${String(MAX_TS_FIELD_LENGTH)} characters`);
  }
  return value;
}

function serverOf(value: string | undefined): string {
  if (value === undefined || value === '') throw malformed('The header X-ORIG-SERVER is missing');
  if (!HOST.test(value)) throw malformed('The header X-ORIG-SERVER must be a host name');
  return value;
}

const malformed = (message: string): GatewayError => new GatewayError('malformed_request', message);
