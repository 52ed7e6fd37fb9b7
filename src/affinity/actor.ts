/** What a header may hold, without a line feed to forge another one; ids on platforms are such text. */
const ID = /^[\x21-\x7e](?:[\x20-\x7e]{0,510}[\x21-\x7e])?$/;

/**
 * Who caused the webhook.
 * @param path Names of members, from the outside in.
 * @returns undefined when the body is not JSON or has no such text there, or one that no header may hold.
 */
export function actorOf(body: Buffer, path: readonly string[]): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return typeof value === 'string' && ID.test(value) ? value : undefined;
}

/** `application/json`, `application/anything+json`, or nothing said. */
export const mayBeJson = (contentType: string | undefined): boolean =>
  contentType === undefined || /^\s*application\/(?:[^;\s]+\+)?json\s*(?:;|$)/i.test(contentType);
