import { Logger } from '@nestjs/common';
import { DoorRegistry } from '../http/door';
import { type Channel, Channels } from './channel';
import { StartWarnings } from './start-warnings';

const SECRET = 'hookServer.mail.secret';
const TOKEN = 'hookServer.mail.token';
const line = (settings: string): string => `Channels that answer 503 until they are set up: mail (docs/channels/mail.md) ${settings}`;

const MAIL: Channel = { name: 'mail', isEnabled: true, isConfigured: false, isProcessing: true, lanes: [], parse: () => [] };

function warningsOf(channels: Channels, { isEnabled = true, missing = {} }: { isEnabled?: boolean; missing?: object } = {}): unknown[] {
  const warned = jest.spyOn(Logger.prototype, 'warn').mockReturnValue();
  const doors = new DoorRegistry();
  doors.register('mail', { isEnabled: () => isEnabled, missingSetting: (method) => (missing as Record<string, string>)[method] });
  new StartWarnings(channels, doors).onApplicationBootstrap();
  return warned.mock.calls.map(([text]) => text as unknown);
}

afterEach(() => jest.restoreAllMocks());

it.each([
  { title: 'nothing where all is set', isEnabled: true, missing: {}, lines: [] },
  { title: 'once what every request needs', isEnabled: true, missing: { POST: SECRET, GET: SECRET }, lines: [line(`without ${SECRET}`)] },
  {
    title: 'what each route needs',
    isEnabled: true,
    missing: { POST: SECRET, GET: TOKEN },
    lines: [line(`to webhooks without ${SECRET} and to the handshake without ${TOKEN}`)],
  },
  { title: 'what webhooks alone need', isEnabled: true, missing: { POST: SECRET }, lines: [line(`to webhooks without ${SECRET}`)] },
  { title: 'what the handshake alone needs', isEnabled: true, missing: { GET: TOKEN }, lines: [line(`to the handshake without ${TOKEN}`)] },
  { title: 'nothing of a channel that is switched off', isEnabled: false, missing: { POST: SECRET, GET: TOKEN }, lines: [] },
])('warns of $title', ({ isEnabled, missing, lines }) => {
  const channels = new Channels();
  channels.register({ ...MAIL, isEnabled });
  expect(warningsOf(channels, { isEnabled, missing })).toEqual(lines);
});

it('warns once of all channels whose requests stay in their queues, whether they are taken in or were', () => {
  const channels = new Channels();
  for (const isEnabled of [true, false]) channels.register({ ...MAIL, name: `mail-${String(isEnabled)}`, isEnabled, isProcessing: false });
  channels.register({ ...MAIL, name: 'post' });
  expect(warningsOf(channels)).toEqual([
    'Channels whose requests stay in their queues and are not read, since processEnabled is false: mail-true, mail-false',
  ]);
});
