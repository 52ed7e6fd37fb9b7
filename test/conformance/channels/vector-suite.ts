import type { ChannelDescriptor, Vector, VectorReading } from './channel-descriptor';
import { ChannelRig, codeOf, type DoorAnswer, vectorsOf } from './channel-rig';

/** Known good and bad signatures and handshakes. */
export function vectorSuite(descriptor: ChannelDescriptor, readings: Readonly<Record<string, VectorReading>>): void {
  const { doors, signatureHeader, unsigned = { missing: 'signature_missing', wrong: 'signature_invalid' } } = descriptor;
  const all = vectorsOf(descriptor);

  const ask = async (vector: Vector, settings: (vector: Vector) => Record<string, string>): Promise<DoorAnswer> => {
    const rig = await ChannelRig.start(descriptor, settings(vector));
    const { method, headers, rawBodyBase64, url } = vector;
    const path = doors[0].path + new URL(url).search;
    return rig.send({ method, path, headers, body: Buffer.from(rawBodyBase64, 'base64') }).finally(() => rig.close());
  };

  it('has a way to try each scheme', () => {
    expect(new Set(all.map(({ scheme }) => scheme))).toEqual(new Set(Object.keys(readings)));
  });

  it.each(all)('$id ($scheme): $note', async (vector) => {
    const reading = readings[vector.scheme]!;
    if ('holds' in reading) {
      expect(reading.holds(vector)).toBe(vector.valid);
      return;
    }
    const answer = await ask(vector, reading.settings);
    if (vector.expected !== undefined) {
      expectHandshake(answer, vector.expected);
    } else if (vector.valid) {
      expect(answer).toMatchObject({ status: doors[0].answer.status, text: doors[0].answer.body });
    } else {
      const code = vector.headers[signatureHeader] === undefined ? unsigned.missing : unsigned.wrong;
      expect([answer.status, codeOf(answer)]).toEqual([401, code]);
    }
  });

  if (descriptor.handshake !== undefined) handshakeSuite(descriptor, descriptor.handshake, ask);
}

function handshakeSuite(
  descriptor: ChannelDescriptor,
  scheme: string,
  ask: (vector: Vector, settings: (vector: Vector) => Record<string, string>) => Promise<DoorAnswer>,
): void {
  const good = vectorsOf(descriptor).find((vector) => vector.scheme === scheme && vector.valid)!;
  const reading = descriptor.vectors?.[scheme];
  const settings = reading !== undefined && 'settings' in reading ? reading.settings : () => ({});

  it.each([...new URL(good.url).searchParams.keys()])('refuses a handshake with a doubled %s', async (key) => {
    const url = new URL(good.url);
    url.searchParams.append(key, url.searchParams.get(key)!);
    const answer = await ask({ ...good, url: url.href }, settings);
    expect([answer.status, codeOf(answer)]).toEqual([400, 'malformed_request']);
  });
}

function expectHandshake(answer: DoorAnswer, expected: NonNullable<Vector['expected']>): void {
  expect(answer.status).toBe(expected.status);
  if (expected.body !== undefined) expect(answer.text).toBe(expected.body);
  if (expected.json !== undefined) expect(JSON.parse(answer.text)).toEqual(expected.json);
  if (expected.contentType !== undefined) expect(answer.contentType).toContain(expected.contentType);
  if (expected.contentTypeNot !== undefined) expect(answer.contentType).not.toContain(expected.contentTypeNot);
  expect(answer.headers['x-content-type-options']).toBe('nosniff');
}
