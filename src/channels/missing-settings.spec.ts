import { Logger } from '@nestjs/common';
import { DoorRegistry } from '../http/door';
import { Channels } from './channel';
import { MissingSettings } from './missing-settings';

const SECRET = 'hookServer.mail.secret';
const TOKEN = 'hookServer.mail.token';
const line = (settings: string): string =>
  `Channels that answer 503 until they are set up: mail (docs/channels/mail.md) without ${settings}`;

afterEach(() => jest.restoreAllMocks());

it.each([
  { title: 'nothing where all is set', isEnabled: true, missing: {}, lines: [] },
  { title: 'once what every request needs', isEnabled: true, missing: { POST: SECRET, GET: SECRET }, lines: [line(SECRET)] },
  { title: 'what each route needs', isEnabled: true, missing: { POST: SECRET, GET: TOKEN }, lines: [line(`${SECRET} and ${TOKEN}`)] },
  { title: 'what the handshake alone needs', isEnabled: true, missing: { GET: TOKEN }, lines: [line(TOKEN)] },
  { title: 'nothing of a channel that is switched off', isEnabled: false, missing: { POST: SECRET, GET: TOKEN }, lines: [] },
])('warns of $title', ({ isEnabled, missing, lines }) => {
  const warned = jest.spyOn(Logger.prototype, 'warn').mockReturnValue();
  const channels = new Channels();
  channels.register({ name: 'mail', isEnabled, isConfigured: false, isProcessing: true, lanes: [], parse: () => [] });
  const doors = new DoorRegistry();
  doors.register('mail', { isEnabled: () => isEnabled, missingSetting: (method) => (missing as Record<string, string>)[method] });
  new MissingSettings(channels, doors).onApplicationBootstrap();
  expect(warned.mock.calls).toEqual(lines.map((each) => [each]));
});
