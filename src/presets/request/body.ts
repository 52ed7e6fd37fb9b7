import { isUtf8 } from 'node:buffer';
import { GatewayError } from '../../core/errors';
import { type JsonSlice, parseJson, sliceJson } from '../../core/json-slice';
import { mediaTypeOf } from '../../core/media-type';
import { Form } from './form';

/** A body as JSON, and as the form that it was. */
export interface OpenBody {
  root: JsonSlice;
  form?: Form;
}

const FORM_TYPE = 'application/x-www-form-urlencoded';
const OPEN_BRACKETS: ReadonlySet<number> = new Set([0x7b, 0x5b]);

/**
 * Reads any body as one JSON value: JSON as it is; a form as an object of texts, or as the JSON in one of its fields; text as a text,
 * bytes that are none as a text in base64; nothing as null. Some send JSON as text or say nothing of it, so an object or a list is
 * looked for there too.
 * @param payloadField Of a form, where the platform writes its JSON.
 * @throws GatewayError `malformed_json`, `json_too_deep`, `body_too_large` for a form of more than 1,000 fields.
 */
export function openBody({ body, contentType }: { body: Buffer; contentType: string }, payloadField?: string): OpenBody {
  if (body.length === 0) return { root: sliceJson(Buffer.from('null')) };
  const mediaType = mediaTypeOf(contentType);
  if (isJsonType(mediaType)) return { root: parseJson(body) };
  if (mediaType === FORM_TYPE) return openForm(Form.parse(body.toString('utf8'), Infinity), payloadField);
  const isText = mediaType === '' || mediaType.startsWith('text/');
  return { root: (isText && openUnnamed(body)) || sliceJson(textOf(body)) };
}

export const isJsonType = (mediaType: string): boolean =>
  mediaType === 'application/json' || mediaType === 'text/json' || mediaType.endsWith('+json');

function openForm(form: Form, payloadField: string | undefined): OpenBody {
  const payload = payloadField === undefined ? undefined : form.get(payloadField);
  return { root: payload === undefined ? sliceJson(form.toJson()) : parseJson(Buffer.from(payload)), form };
}

function openUnnamed(body: Buffer): JsonSlice | undefined {
  if (!OPEN_BRACKETS.has(body.find((byte) => byte > 0x20) ?? 0)) return undefined;
  try {
    return parseJson(body);
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

const textOf = (body: Buffer): Buffer => Buffer.from(JSON.stringify(isUtf8(body) ? body.toString('utf8') : body.toString('base64')));
