/** Seconds are told from milliseconds by size: this many seconds are the year 5138, this many milliseconds 1973. */
const FIRST_MILLISECONDS = 1e11;
/** Smaller ones are no seconds since 1970 that anybody means (1973), but counters, years, or dates such as 20261125. */
const FIRST_SECONDS = 1e8;
/** The end of the year 9999: ISO 8601 has four digits for the year. */
const LAST_MS = 253_402_300_799_999;

const NUMBER = /^\d{1,16}(?:\.\d{1,9})?$/;
/** Date, or date and time, extended or basic; hours alone need no minutes. Without an offset it is UTC. */
const ISO =
  /^(\d{4})(-?)(\d{2})\2(\d{2})(?:[T ](\d{2})(?::?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9}))?)?)? ?(?:(Z)|([+-])(\d{2})(?::?(\d{2}))?)?)?$/i;

/**
 * When something happened, of a number or text: ISO 8601, or seconds or milliseconds since 1970.
 * @returns Milliseconds since 1970, from 1970 to 9999; undefined for anything else.
 */
export function timeOf(text: string): number | undefined {
  const timeMs = NUMBER.test(text) && Number(text) >= FIRST_SECONDS ? ofNumber(Number(text)) : ofIso(text);
  return timeMs !== undefined && timeMs >= 0 && timeMs <= LAST_MS ? timeMs : undefined;
}

const ofNumber = (number: number): number => Math.floor(number < FIRST_MILLISECONDS ? number * 1_000 : number);

function ofIso(text: string): number | undefined {
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [, year, , month, day, hour = '0', minute = '0', second = '0', fraction = '', , sign, offsetHours = '0', offsetMinutes = '0'] =
    match;
  if (isBeyond([hour, 24], [minute, 59], [second, 60], [offsetHours, 23], [offsetMinutes, 59])) return undefined;
  const date = Date.UTC(Number(year), Number(month) - 1, Number(day));
  // The 31st of June would be the 1st of July.
  if (new Date(date).getUTCDate() !== Number(day) || new Date(date).getUTCMonth() !== Number(month) - 1) return undefined;
  const ofDayMs = ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1_000 + Number(fraction.padEnd(3, '0').slice(0, 3));
  const offsetMs = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000;
  return date + ofDayMs - (sign === '-' ? -offsetMs : offsetMs);
}

/** 24:00 and the leap second are times of ISO 8601, and mean the next moment. */
const isBeyond = (...parts: [text: string, most: number][]): boolean => parts.some(([text, most]) => Number(text) > most);
