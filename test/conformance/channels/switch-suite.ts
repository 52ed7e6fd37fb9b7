import { Logger } from '@nestjs/common';
import { existsSync } from 'node:fs';
import type { ChannelDescriptor, ChannelRequest } from './channel-descriptor';
import { ChannelRig, codeOf, requestTo, sampleOf } from './channel-rig';
import { switchOf } from './payload-suite';

/** What an operator can turn off, and what happens then. */
export function switchSuite(descriptor: ChannelDescriptor): void {
  const { name, doors, sign, secrets, handshake } = descriptor;
  const unset = Object.fromEntries(secrets.map((variable) => [variable, '']));
  let rig: ChannelRig;

  afterEach(() => rig.close());

  const toDoors = doors.map((door) => requestTo(door, sampleOf(descriptor, door)));
  const requests: ChannelRequest[] = [
    ...toDoors,
    ...(handshake === undefined ? [] : [{ method: 'GET' as const, path: doors[0].path, headers: {}, body: Buffer.alloc(0) }]),
  ];

  it.each(requests)('answers 404 to $method $path while it is switched off, whatever else is wrong', async (request) => {
    rig = await ChannelRig.start(descriptor, { ...unset, [switchOf(name, 'ENABLED')]: 'false' });
    const answer = await rig.send({ ...request, headers: { 'content-type': 'text/plain' } });
    expect([answer.status, codeOf(answer)]).toEqual([404, 'not_found']);
    expect(await rig.app.must(200, 'GET', `/api/v1/channels/${name}`)).toMatchObject({ name, enabled: false, configured: false });
  });

  it.each(requests)('answers 503 to $method $path without its secret, after the type and before the signature', async (request) => {
    rig = await ChannelRig.start(descriptor, unset);
    for (const sent of [sign(request), request]) {
      const answer = await rig.send(sent);
      expect([answer.status, codeOf(answer)]).toEqual([503, 'channel_not_configured']);
      expect(secrets.some((variable) => answer.text.includes(settingOf(name, variable)))).toBe(true);
    }
    if (request.method === 'POST') {
      expect((await rig.send({ ...request, headers: { 'content-type': 'text/plain' } })).status).toBe(415);
    }
    expect(await rig.waiting()).toBe(0);
  });

  it('tells at the start which setting is not set, and of a page that there is', async () => {
    const warned = jest.spyOn(Logger.prototype, 'warn').mockReturnValue();
    try {
      rig = await ChannelRig.start(descriptor, unset);
      const page = `docs/channels/${name}.md`;
      const lines = warned.mock.calls.map(([text]) => String(text));
      const line = lines.find((text) => text.includes(`${name} (${page})`) && text.includes('without')) ?? '';
      for (const variable of secrets) expect(line).toContain(settingOf(name, variable));
      expect(existsSync(page)).toBe(true);
    } finally {
      warned.mockRestore();
    }
  });

  it('accepts while processing is switched off, keeps it, and reads it when that is over', async () => {
    rig = await ChannelRig.start(descriptor, { [switchOf(name, 'PROCESS_ENABLED')]: 'false' });
    for (const [index, door] of doors.entries()) {
      const answer = await rig.sendTo(door, sampleOf(descriptor, door));
      expect(answer.status).toBe(door.answer.status);
      expect(await rig.waiting()).toBe(index + 1);
    }
    expect(await rig.app.must(200, 'GET', `/api/v1/channels/${name}`)).toMatchObject({
      enabled: true,
      configured: true,
      processing: false,
    });
    expect(await rig.events()).toEqual([]);

    await rig.restart({ [switchOf(name, 'ENABLED')]: 'false' });
    await rig.settled(doors.length);
    expect((await rig.events()).length).toBeGreaterThan(0);
    expect(await rig.waiting()).toBe(0);
  });

  it('answers 503 while the broker is away, with the time to come back', async () => {
    rig = await ChannelRig.start(descriptor);
    await rig.broker.close();
    const answer = await rig.sendTo(doors[0], sampleOf(descriptor, doors[0]));
    expect([answer.status, codeOf(answer)]).toEqual([503, 'broker_unavailable']);
    expect(answer.headers['retry-after']).toBeDefined();
  });
}

/** HOOK_SERVER_FACEBOOK_APP_SECRET is hookServer.facebook.appSecret. */
function settingOf(name: string, variable: string): string {
  const words = variable.replace(switchOf(name, ''), '').toLowerCase().split('_');
  const setting = words.map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1))).join('');
  return `hookServer.${name}.${setting}`;
}
