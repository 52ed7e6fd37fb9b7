import { publicUrlOf, signedUrls } from './twilio-urls';

const formsOf = (publicUrl: string, target: string): string[] => [...signedUrls(publicUrlOf(publicUrl, target))];

it.each([
  ['https://gw.example.com', '/twilio', ['https://gw.example.com/twilio', 'https://gw.example.com:443/twilio']],
  ['http://gw.example.com/', '/twilio?a=1', ['http://gw.example.com/twilio?a=1', 'http://gw.example.com:80/twilio?a=1']],
  ['https://gw.example.com:8443/hooks/', '/twilio', ['https://gw.example.com/hooks/twilio', 'https://gw.example.com:8443/hooks/twilio']],
  ['https://me:p@ss@gw.example.com', '/twilio', ['https://me:p@ss@gw.example.com/twilio', 'https://me:p@ss@gw.example.com:443/twilio']],
  ['https://[2001:db8::1]:8443', '/twilio', ['https://[2001:db8::1]/twilio', 'https://[2001:db8::1]:8443/twilio']],
  ['https://gw.example.com?a=1#b', '/twilio', ['https://gw.example.com/twilio', 'https://gw.example.com:443/twilio']],
])('%s gives %s without and with its port first', (publicUrl, target, expected) => {
  expect(formsOf(publicUrl, target).slice(0, 2)).toEqual(expected);
});

it('has no others for a URL that nobody would write otherwise', () => {
  expect(formsOf('https://gw.example.com', '/twilio/status?tenant=acme')).toHaveLength(2);
});

it('then has it as a browser writes it, then with its query escaped once more', () => {
  expect(formsOf('https://GW.example.com', '/twilio?Body=It\'s+"amazing"&a=ä')).toEqual([
    'https://GW.example.com/twilio?Body=It\'s+"amazing"&a=ä',
    'https://GW.example.com:443/twilio?Body=It\'s+"amazing"&a=ä',
    'https://gw.example.com/twilio?Body=It%27s+%22amazing%22&a=%C3%A4',
    'https://gw.example.com:443/twilio?Body=It%27s+%22amazing%22&a=%C3%A4',
    "https://gw.example.com/twilio?Body=It's%20%22amazing%22&a=%C3%A4",
    "https://gw.example.com:443/twilio?Body=It's%20%22amazing%22&a=%C3%A4",
  ]);
});

it('takes a target for a path, whatever it looks like', () => {
  for (const url of formsOf('https://gw.example.com', '//evil.example/twilio')) expect(new URL(url).hostname).toBe('gw.example.com');
});
