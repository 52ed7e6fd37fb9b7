const URI = 'ciscospark://';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The one form of a person's id that Webex writes in several: base64 of `ciscospark://us/PEOPLE/<uuid>`, with or without padding; that
 * URI; the uuid alone. Ids of different kinds may be alike in it. Any other text is its own form.
 */
export function webexId(id: string): string {
  const text = id.startsWith(URI) ? id : Buffer.from(id, 'base64').toString('latin1');
  const name = text.startsWith(URI) ? text.slice(text.lastIndexOf('/') + 1) : id;
  return UUID.test(name) ? name.toLowerCase() : name;
}
