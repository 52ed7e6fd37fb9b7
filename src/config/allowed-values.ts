import { type ValidationError, getMetadataStorage } from 'class-validator';

/** The arguments of a property's rules by their names, such as `max` and its 65535. */
type Rules = ReadonlyMap<string, readonly unknown[]>;

const argument = (rules: Rules, name: string): unknown => rules.get(name)?.[0];

const number = (rules: Rules, name: string): number | undefined => argument(rules, name) as number | undefined;

const range = (rules: Rules): string => {
  const [least, most] = [number(rules, 'min'), number(rules, 'max')];
  if (least === undefined) return most === undefined ? '' : ` up to ${String(most)}`;
  return ` from ${String(least)}${most === undefined ? '' : ` to ${String(most)}`}`;
};

const text = (rules: Rules): string => {
  if (rules.has('minLength')) return `text of ${String(number(rules, 'minLength'))} or more characters`;
  return rules.has('isNotEmpty') ? 'text that is not empty' : 'text';
};

const url = (rules: Rules): string => {
  const { protocols = [] } = (argument(rules, 'isUrl') ?? {}) as { protocols?: readonly string[] };
  return `a URL that begins with ${protocols.map((protocol) => `${protocol}://`).join(' or ')}`;
};

const choice = (rules: Rules): string => (argument(rules, 'isIn') as readonly string[]).join(', ').replace(/, ([^,]*)$/, ' or $1');

/** The first rule that a property has decides: what one value may be, and what the members of a list. */
const WORDS: readonly [rule: string, one: (rules: Rules) => string, many: (rules: Rules) => string][] = [
  ['isInt', (rules) => `an integer${range(rules)}`, (rules) => `integers${range(rules)}`],
  ['isNumber', (rules) => `a number${range(rules)}`, (rules) => `numbers${range(rules)}`],
  ['isBoolean', () => 'true or false', () => 'true or false'],
  ['isIn', choice, choice],
  ['isUrl', url, url],
  ['minLength', text, text],
  ['isString', text, text],
];

/** Rules that are told by the words above, not by a message of their own. */
const TOLD = new Set([...WORDS.map(([rule]) => rule), 'min', 'max', 'isNotEmpty', 'isArray', 'arrayMaxSize']);

/** What the property may be, in words: `an integer from 0 to 65535`, whichever of its rules was broken. */
export function allowedValues({ target, property, constraints = {} }: ValidationError): string {
  const messages = Object.entries(constraints).flatMap(([rule, message]) => (TOLD.has(rule) ? [] : [message]));
  if (messages.length > 0) return messages.join(', ');
  const all = getMetadataStorage().getTargetValidationMetadatas((target as object).constructor, '', false, false);
  const own = all.filter((rule) => rule.propertyName === property && rule.name !== undefined);
  const rules: Rules = new Map(own.map((rule) => [rule.name as string, (rule.constraints as readonly unknown[] | undefined) ?? []]));
  const [, one, many] = WORDS.find(([rule]) => rules.has(rule)) ?? ['', () => 'a value', () => 'values'];
  if (!rules.has('isArray') && !own.some((rule) => rule.each)) return one(rules);
  const most = number(rules, 'arrayMaxSize');
  return `a list of ${most === undefined ? '' : `at most ${String(most)} `}${many(rules)}`;
}
