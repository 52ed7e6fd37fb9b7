import { webexId } from './webex-id';

const UUID = 'f5b36187-c8dd-4727-8b2f-f9c447f29046';
const UNPADDED = 'Y2lzY29zcGFyazovL3VzL1BFT1BMRS9mNWIzNjE4Ny1jOGRkLTQ3MjctOGIyZi1mOWM0NDdmMjkwNDY';

it.each([
  ['base64, as the API writes it', UNPADDED],
  ['base64 with its padding', Buffer.from(`ciscospark://us/PEOPLE/${UUID}`).toString('base64')],
  ['base64 of another region', Buffer.from(`ciscospark://urn:TEAM:eu-central-1_k/PEOPLE/${UUID}`).toString('base64url')],
  ['the URI', `ciscospark://us/PEOPLE/${UUID}`],
  ['the uuid', UUID],
  ['the uuid in capitals', UUID.toUpperCase()],
])('knows a person by %s', (_what, id) => {
  expect(webexId(id)).toBe(UUID);
});

it.each(['', 'a bot', 'Y2lz', 'ä', 'bot@example.com'])('leaves %j as it is', (id) => {
  expect(webexId(id)).toBe(id);
});
