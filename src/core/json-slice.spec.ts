import { GatewayError } from './errors';
import { JsonSlice, assertJsonDepth, parseJson, sliceJson } from './json-slice';

const slice = (text: string): JsonSlice => sliceJson(Buffer.from(text));
const code = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof GatewayError ? error.code : String(error);
  }
};

describe('JsonSlice', () => {
  it('gives exact bytes, trimmed, as a subarray of the whole text', () => {
    const text = Buffer.from(' \r\n\t{ "a" :  [ 1 , {"b" : "x\\u00e4 \\/"} ,\n12345678901234567890 ]\t} \n');
    const elements = sliceJson(text).member('a')!.elements();
    expect(elements.map((element) => element.text())).toEqual(['1', '{"b" : "x\\u00e4 \\/"}', '12345678901234567890']);
    expect(sliceJson(text).text()).toBe(text.toString().trim());
    for (const element of elements) expect(element.bytes.buffer).toBe(text.buffer);
    expect(elements[1]!.bytes.byteOffset).toBe(text.byteOffset + text.indexOf('{"b"'));
  });

  it.each([
    ['{"a":1,"a":2}', 'a', '2'],
    ['{"a":1,"\\u0061":2}', 'a', '2'],
    ['{"\\u0061":1,"b":2}', 'a', '1'],
    ['{"a\\"b":1}', 'a"b', '1'],
    ['{"a\\\\":1,"b":2}', 'a\\', '1'],
    ['{"":1}', '', '1'],
    ['{"ä":1}', 'ä', '1'],
    ['{"\\u00e4":1}', 'ä', '1'],
    ['{"😀":1}', '😀', '1'],
    ['{"\\ud83d\\ude00":1}', '😀', '1'],
    ['{"__proto__":1}', '__proto__', '1'],
    ['{"a":"}]\\"{["}', 'a', '"}]\\"{["'],
    ['{"ab":1,"a":2,"abc":3}', 'a', '2'],
    ['{"a" : true , "b" : null }', 'b', 'null'],
  ])('member of %s under %s is %s', (text, key, value) => {
    expect(slice(text).member(key)?.text()).toBe(value);
    expect((JSON.parse(text) as Record<string, unknown>)[key]).toEqual(JSON.parse(value));
  });

  it.each(['{}', '{ }', '[]', '"a"', '1', 'null', '{"ab":1}', '{"a\\u0000":1}', '{"b":{"a":1}}'])('%s has no member a', (text) => {
    expect(slice(text).member('a')).toBeUndefined();
  });

  it.each(['{}', '"[1]"', '1', '[]', '[ ]'])('%s has no elements', (text) => {
    expect(slice(text).elements()).toEqual([]);
  });

  it('names the kind of a value', () => {
    const kinds = slice('[{},[],"",-1,0.5e3,true,false,null]').elements();
    expect(kinds.map((element) => element.kind)).toEqual(['object', 'array', 'string', 'number', 'number', 'boolean', 'boolean', 'null']);
  });

  it('gives strings unescaped, and nothing else as a string', () => {
    expect(slice('"a\\n\\u00e4\\ud83d\\ude00\\/"').string()).toBe('a\nä😀/');
    expect(slice('12').string()).toBeUndefined();
    expect(slice('null').string()).toBeUndefined();
  });

  it('lists keys as they stand', () => {
    expect(slice('{"b":{"x":1},"\\u0061":[2,{"y":3}],"b":4}').keys()).toEqual(['b', 'a', 'b']);
  });

  it('keeps bytes that are not UTF-8', () => {
    const text = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0xc3]), Buffer.from('","b":[2]}')]);
    expect(sliceJson(text).member('a')!.bytes).toEqual(Buffer.from([0x22, 0xff, 0xc3, 0x22]));
    expect(sliceJson(text).member('b')!.text()).toBe('[2]');
    const key = Buffer.concat([Buffer.from('{"'), Buffer.from([0xff]), Buffer.from('":1}')]);
    expect(sliceJson(key).member('\ufffd')?.text()).toBe('1');
  });

  it('keeps the NUL and the digits of numbers', () => {
    const text = '[12345678901234567890,1.0,-0,1E400,"\\u0000"]';
    expect(
      slice(text)
        .elements()
        .map((element) => element.text()),
    ).toEqual(['12345678901234567890', '1.0', '-0', '1E400', '"\\u0000"']);
  });

  it.each(['', ' ', '{', '[', '"', '"\\', '{"a', '{"a"', '{"a":', '[1,', '[,', '}', '[[[', '{"a":"\\', '[1 2]', '{"a" 1}', ',', '[}'])(
    'ends on %j, which is not JSON',
    (text) => {
      const whole = slice(text);
      for (const element of whole.elements()) void element.text();
      void whole.member('a')?.elements();
      expect(code(() => parseJson(Buffer.from(text)))).toBe('malformed_json');
    },
  );

  it('reads any generated value as JSON.parse does', () => {
    const random = randomOf(20_261_122);
    for (let round = 0; round < 2_000; round++) {
      const text = randomJson(random, 5);
      expect(valueOf(parseJson(Buffer.from(text)))).toEqual(JSON.parse(text));
    }
  });
});

describe('the depth of JSON', () => {
  const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

  it('takes 64 levels and refuses 65', () => {
    expect(code(() => assertJsonDepth(Buffer.from(nested(64))))).toBeUndefined();
    expect(code(() => assertJsonDepth(Buffer.from(nested(65))))).toBe('json_too_deep');
    expect(code(() => assertJsonDepth(Buffer.from(nested(3)), 2))).toBe('json_too_deep');
  });

  it('counts objects and arrays together, and only what is open at once', () => {
    expect(code(() => assertJsonDepth(Buffer.from('{"a":[{"b":1}]}'), 2))).toBe('json_too_deep');
    expect(code(() => assertJsonDepth(Buffer.from(`[${Array(1000).fill('[{}]').join()}]`), 3))).toBeUndefined();
  });

  it('does not count brackets inside strings', () => {
    expect(code(() => assertJsonDepth(Buffer.from(`{"a":"\\"${'['.repeat(100)}","b\\\\":[]}`), 2))).toBeUndefined();
    expect(code(() => assertJsonDepth(Buffer.from(`["\\\\",${nested(2)}]`), 2))).toBe('json_too_deep');
  });

  it('survives a million levels, closed or not, and can slice them', () => {
    const million = nested(1_000_000);
    expect(code(() => parseJson(Buffer.from(million)))).toBe('json_too_deep');
    expect(code(() => parseJson(Buffer.from('{"a":'.repeat(1_000_000))))).toBe('json_too_deep');
    expect(slice(million).elements()[0]!.bytes.length).toBe(1_999_998);
  });
});

/** Reads a value through slices alone, leaves apart. */
function valueOf(value: JsonSlice): unknown {
  if (value.kind === 'array') return value.elements().map(valueOf);
  if (value.kind !== 'object') return value.string() ?? value.parse();
  const object: Record<string, unknown> = {};
  for (const key of value.keys()) {
    Object.defineProperty(object, key, { value: valueOf(value.member(key)!), enumerable: true, configurable: true, writable: true });
  }
  return object;
}

/** A linear congruential generator: the same numbers in each run. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const SPACES = ['', '', '', ' ', '\n', '\t \r\n'];
const STRINGS = [
  'a',
  'x'.repeat(60),
  '\\\\'.repeat(40),
  '\\"'.repeat(40),
  'b',
  '\\u0061',
  '\\"',
  '\\\\',
  '{',
  ']',
  ',',
  ':',
  'ä',
  '😀',
  '\\ud83d\\ude00',
  '\\/',
  '__proto__',
  '\\u0000',
  '',
];
const LEAVES = ['0', '-1', '12345678901234567890', '1.5e-3', 'true', 'false', 'null'];

function randomJson(random: (below: number) => number, depth: number): string {
  const space = (): string => SPACES[random(SPACES.length)]!;
  const string = (): string => `"${Array.from({ length: random(4) }, () => STRINGS[random(STRINGS.length)]).join('')}"`;
  const value = (): string => randomJson(random, depth - 1);
  const list = (item: () => string): string => Array.from({ length: random(5) }, () => space() + item() + space()).join(',') || space();
  const kind = random(depth > 0 ? 4 : 2);
  if (kind === 0) return LEAVES[random(LEAVES.length)]!;
  if (kind === 1) return string();
  if (kind === 2) return `[${list(value)}]`;
  return `{${list(() => string() + space() + ':' + space() + value())}}`;
}
