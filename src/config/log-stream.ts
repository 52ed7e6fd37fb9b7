/** Where log lines go: each is one JSON object with a line feed, as pino writes it. */
export interface LogStream {
  write(line: string): void;
}

/** Shorter ones would blacken ordinary words. */
const MIN_SECRET_LENGTH = 6;

/** Writes `***` where a line holds a secret, wherever it came from: an error's message may quote a whole URL. */
export function withoutSecrets(stream: LogStream, secrets: readonly string[]): LogStream {
  const needles = secrets
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .map((secret) => JSON.stringify(secret).slice(1, -1))
    .sort((a, b) => b.length - a.length);
  if (needles.length === 0) return stream;
  return {
    write: (line) => {
      stream.write(needles.reduce((text, needle) => (text.includes(needle) ? text.replaceAll(needle, '***') : text), line));
    },
  };
}

const LEVELS: Readonly<Record<number, string>> = { 10: 'TRACE', 20: 'DEBUG', 30: 'INFO ', 40: 'WARN ', 50: 'ERROR', 60: 'FATAL' };

/** `18:03:12.123 INFO  [Context] message key=value`, an error's stack below. */
export function asText(stream: LogStream): LogStream {
  return {
    write: (line) => {
      const { level, time, context, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
      const extras = Object.entries(fields).map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
      const at = new Date(time as number).toISOString().slice(11, 23);
      const head = `${at} ${LEVELS[level as number] ?? String(level)} ${typeof context === 'string' ? `[${context}] ` : ''}`;
      stream.write(`${printable(`${head}${typeof msg === 'string' ? msg : ''}${extras.join('')}`)}\n${stackOf(err)}`);
    },
  };
}

function stackOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { stack, message } = error as { stack?: unknown; message?: unknown };
  const text = typeof stack === 'string' ? stack : JSON.stringify(message ?? error);
  return `${text.split('\n').map(printable).join('\n')}\n`;
}

/** A sender's text must not move the terminal's cursor or forge a line. */
const printable = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?');
