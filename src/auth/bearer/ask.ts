import { type Dispatcher, request } from 'undici';
import { GatewayError } from '../../core/errors';
import { type JsonSlice, parseJson } from '../../core/json-slice';

/** From connect to the last byte: who waits for the answer gets one within 5 s. */
export const ASK_TIMEOUT_MS = 4_000;

export interface Question {
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  body?: string;
}

export interface Answer {
  status: number;
  body: Buffer;
}

/** @throws GatewayError `token_check_unavailable`; it holds nothing of the URL, which may name a token. */
export async function ask(agent: Dispatcher, url: string, { method, headers, body }: Question): Promise<Answer> {
  try {
    const signal = AbortSignal.timeout(ASK_TIMEOUT_MS);
    const answer = await request(url, { method, headers, body: body ?? null, dispatcher: agent, signal });
    return { status: answer.statusCode, body: Buffer.from(await answer.body.arrayBuffer()) };
  } catch (error) {
    throw unavailable(reasonOf(error), error);
  }
}

/** The object that an answer holds. @throws GatewayError `token_check_unavailable`. */
export function objectIn({ body }: Answer): JsonSlice {
  let value: JsonSlice;
  try {
    value = parseJson(body);
  } catch (error) {
    throw unavailable('its answer is no JSON', error);
  }
  if (value.kind !== 'object') throw unavailable('its answer is no JSON object');
  return value;
}

export const unavailable = (reason: string, cause?: unknown): GatewayError =>
  new GatewayError('token_check_unavailable', `The service that checks access tokens does not help: ${reason}`, { cause });

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  if (error.name === 'TimeoutError') return 'no answer in time';
  const { code } = error as Error & { code?: unknown };
  const inner = error.cause instanceof Error ? reasonOf(error.cause) : undefined;
  return typeof code === 'string' ? code : (inner ?? 'failed');
}
