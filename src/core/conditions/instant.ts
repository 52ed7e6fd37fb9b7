const ISO = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d:?\d\d)?)?$/;

/**
 * Milliseconds since 1970 of an ISO 8601 date, or date and time; without a zone it is UTC, wherever the gateway runs. NaN for any other
 * text.
 */
export function instantMs(text: string): number {
  const parts = ISO.exec(text);
  if (!parts) return Number.NaN;
  const [, date, time = '00:00', zone = 'Z'] = parts;
  return Date.parse(`${date}T${time}${zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone}`);
}
