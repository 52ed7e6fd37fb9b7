import { EMPTY_TWIML, isTwiml, twimlOf, twimlProblem } from './twilio.twiml';

it.each([
  EMPTY_TWIML,
  '<Response></Response>',
  '<?xml version="1.0"?>\n<!-- ours - and theirs -->\n<Response>\n  <Message to="+1" action=\'https://example.com/?a=1&amp;b="2"\'>5 &lt; 6 &#128512; ä 😀</Message>\n  <Redirect/>\n</Response>\n',
  '<Response><Say voice="alice"><![CDATA[a < b & c]]></Say></Response>',
  '<Response><Gather><Say>1</Say><Say>2</Say></Gather><Hangup /></Response>',
])('takes %j', (xml) => {
  expect(twimlProblem(xml)).toBeUndefined();
});

const NOT_ONE = 'must be one <Response> and nothing around it';

it.each([
  ['', NOT_ONE],
  ['Thanks!', NOT_ONE],
  ['<Response/>Thanks!', NOT_ONE],
  ['<Response/><Response/>', NOT_ONE],
  ['<![CDATA[a]]><Response/>', NOT_ONE],
  ['<response/>', NOT_ONE],
  ['<!-- only this -->', NOT_ONE],
  ['<Response>', 'does not close <Response>'],
  ['<Response><Say>a</Response>', 'closes <Response> where it is not open'],
  ['<Response></Response></Response>', 'closes <Response> where it is not open'],
  ['<Response>a & b</Response>', 'is not well-formed at character 13'],
  ['<Response>&nbsp;</Response>', 'is not well-formed at character 11'],
  ['<Response><Say voice=alice>a</Say></Response>', 'is not well-formed at character 11'],
  ['<Response><Say voice="a"loop="2">a</Say></Response>', 'is not well-formed at character 11'],
  ['<Response><!-- a -- b --></Response>', 'is not well-formed at character 11'],
  ['<!DOCTYPE r [<!ENTITY a "b">]><Response>&a;</Response>', 'is not well-formed at character 1'],
  ['<Response><?php echo 1 ?></Response>', 'is not well-formed at character 11'],
  ['<Response><', 'is not well-formed at character 11'],
  ['<Response>\u0000</Response>', 'holds characters that XML may not have'],
])('refuses %j', (xml, problem) => {
  expect(twimlProblem(xml)).toBe(problem);
});

it('puts a text into one verb, escaped', () => {
  expect(twimlOf('Message', '<Tom> & "Jerry"')).toBe(
    '<?xml version="1.0" encoding="UTF-8"?><Response><Message>&lt;Tom&gt; &amp; "Jerry"</Message></Response>',
  );
  expect(twimlProblem(twimlOf('Say', ']]> &amp; <a/>'))).toBeUndefined();
});

it('tells TwiML from text by its first character', () => {
  expect(['<Response/>', '\n <?xml version="1.0"?>'].map(isTwiml)).toEqual([true, true]);
  expect(['Thanks!', 'I <3 you', ''].map(isTwiml)).toEqual([false, false, false]);
});
