import { asText, withoutSecrets } from './log-stream';

function collect(): { lines: string[]; write(line: string): void } {
  const lines: string[] = [];
  return { lines, write: (line) => void lines.push(line) };
}

it('a secret is *** wherever it stands in a line, also escaped', () => {
  const out = collect();
  const stream = withoutSecrets(out, ['quo"ted-secret', 'amqp://me:hush-hush@host', 'hush-hush', 'short']);
  stream.write(JSON.stringify({ msg: 'quo"ted-secret and amqp://me:hush-hush@host', err: { stack: 'at hush-hush' }, word: 'short' }));
  expect(out.lines).toEqual([JSON.stringify({ msg: '*** and ***', err: { stack: 'at ***' }, word: 'short' })]);
});

it('text has one line, and the stack of an error below it', () => {
  const out = collect();
  const line = {
    level: 50,
    time: 0,
    context: 'Http',
    msg: 'Failed',
    requestId: 'r1',
    count: 2,
    err: { message: 'x', stack: 'Error: x\n    at y' },
  };
  asText(out).write(JSON.stringify(line));
  expect(out.lines).toEqual(['00:00:00.000 ERROR [Http] Failed requestId=r1 count=2\nError: x\n    at y\n']);
});

it('text of a sender forges no line and moves no cursor', () => {
  const out = collect();
  asText(out).write(JSON.stringify({ level: 30, time: 0, msg: 'a\n00:00:00.000 INFO  b\u001b[2J', field: 'c\r\nd' }));
  expect(out.lines.join('')).toBe('00:00:00.000 INFO  a?00:00:00.000 INFO  b?[2J field=c??d\n');
});
