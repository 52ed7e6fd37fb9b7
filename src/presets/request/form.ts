import { GatewayError } from '../../core/errors';

/**
 * Twilio sends some dozens, in some kilobytes. Who sends more makes us decode, sort and hash it all before we know whether it is
 * signed: 3 MiB, which are 3 KB when compressed, would hold up everything else for a quarter of a second.
 */
const MAX_PARAMETERS = 1_000;
const MAX_CHARACTERS = 512 * 1_024;

/** The parameters of a form: decoded, in the order in which they came, each name with all of its values. */
export class Form {
  private constructor(private readonly values: ReadonlyMap<string, readonly string[]>) {}

  /**
   * @param text As it came, in a body or a query.
   * @param maxCharacters More only where the sender is known already.
   * @throws GatewayError `body_too_large` when it is longer, or has more parameters, than what Twilio would send.
   */
  static parse(text: string, maxCharacters: number = MAX_CHARACTERS): Form {
    assertSmall(text, maxCharacters);
    const values = new Map<string, string[]>();
    // Alone, a question mark at the beginning would be taken for the mark of a query and be lost.
    for (const [name, value] of new URLSearchParams(`&${text}`)) {
      const present = values.get(name);
      if (present === undefined) values.set(name, [value]);
      else present.push(value);
    }
    return new Form(values);
  }

  get isEmpty(): boolean {
    return this.values.size === 0;
  }

  /** The first value of this name; undefined where there is none, or an empty one, as Twilio sends for what it does not know. */
  get(name: string): string | undefined {
    return this.values.get(name)?.[0] || undefined;
  }

  /** What Twilio signs after the URL: the names in order, each before each of its values; equal values of one name count once. */
  signedText(): string {
    let text = '';
    for (const name of [...this.values.keys()].sort()) {
      for (const value of [...new Set(this.values.get(name))].sort()) text += name + value;
    }
    return text;
  }

  /** A JSON object of texts; what came more than once is an array. Written by hand: a name may be `__proto__`. */
  toJson(): Buffer {
    const members = [...this.values].map(([name, values]) => {
      return `${JSON.stringify(name)}:${JSON.stringify(values.length === 1 ? values[0] : values)}`;
    });
    return Buffer.from(`{${members.join(',')}}`);
  }
}

function assertSmall(text: string, maxCharacters: number): void {
  if (text.length > maxCharacters) throw new GatewayError('body_too_large', `The form is longer than ${String(maxCharacters)} characters`);
  let parameters = 1;
  for (let at = text.indexOf('&'); at !== -1; at = text.indexOf('&', at + 1)) {
    if (++parameters > MAX_PARAMETERS) throw new GatewayError('body_too_large', `The form has more than ${MAX_PARAMETERS} parameters`);
  }
}
