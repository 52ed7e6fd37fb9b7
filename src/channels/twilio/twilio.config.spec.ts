import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '../../config/load-config';
import { TwilioConfig } from './twilio.config';

const folder = mkdtempSync(join(tmpdir(), 'hookline-twilio-'));
afterAll(() => rmSync(folder, { recursive: true }));

const fromFile = (text: string): TwilioConfig => {
  const path = join(folder, 'settings.yaml');
  writeFileSync(path, text);
  return loadConfig({ CONFIG_FILE: path }).section(TwilioConfig);
};

const problemsOf = (variables: NodeJS.ProcessEnv): readonly string[] => {
  try {
    loadConfig(variables);
    return [];
  } catch (error) {
    return (error as ConfigError).problems;
  }
};

it('has replies by number from a file, also by numbers without quotes', () => {
  const { replies } = fromFile(
    'hookServer: {twilio: {replies: {message: {+15557122661: Thanks!, "whatsapp:+14155238886": "", default: "12"}}}}',
  );
  expect(replies.message).toEqual({ '+15557122661': 'Thanks!', 'whatsapp:+14155238886': '', default: '12' });
  expect(replies.voice).toEqual({});
});

it('has them from the environment, as JSON', () => {
  const voice = { '+15557122661': '<Response><Reject/></Response>' };
  expect(loadConfig({ HOOK_SERVER_TWILIO_REPLIES_VOICE: JSON.stringify(voice) }).section(TwilioConfig).replies.voice).toEqual(voice);
});

it.each([
  ['text instead of a map', 'Thanks!', ''],
  ['a list', '["Thanks!"]', ''],
  ['a reply that is no text', '{"+1": {"Message": "Thanks!"}}', '; that of +1 is no text'],
  ['TwiML that is not closed', '{"+1": "<Response><Message>a</Response>"}', '; that of +1 closes <Response> where it is not open'],
  ['XML that is no TwiML', '{"default": "<Message>a</Message>"}', '; that of default must be one <Response> and nothing around it'],
  ['characters that XML may not have', '{"+1": "\\u0007"}', '; that of +1 holds characters that XML may not have'],
])('refuses %s', (_what, text, detail) => {
  const allowed = `a map of numbers (as Twilio writes them) and default to text or TwiML${detail}`;
  const [problem] = problemsOf({ HOOK_SERVER_TWILIO_REPLIES_MESSAGE: text });
  expect(problem).toMatch(/^hookServer\.twilio\.replies\.message is .+ \(from HOOK_SERVER_TWILIO_REPLIES_MESSAGE\)/);
  expect(problem?.endsWith(`; allowed: ${allowed}`)).toBe(true);
});

it.each(['a token with spaces', 'XX0123:token', 'AC0123:', 'AC0123:to:ken'])('refuses the auth token %j without showing it', (token) => {
  expect(problemsOf({ HOOK_SERVER_TWILIO_AUTH_TOKEN: token })).toEqual([
    'hookServer.twilio.authToken is *** (from HOOK_SERVER_TWILIO_AUTH_TOKEN); allowed: auth tokens, each for all accounts or as AccountSid:token for one',
  ]);
});
