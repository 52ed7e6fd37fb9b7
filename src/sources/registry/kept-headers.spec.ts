import { KeptHeaders } from './kept-headers';

it.each<[string[], Record<string, string> | undefined]>([
  [[], undefined],
  [['x-missing'], undefined],
  [['x-kind', 'x-kind', 'x-missing'], { 'x-kind': 'k' }],
  [['ce-*'], { 'ce-id': '1', 'ce-my-own': 'é' }],
  [['ce-*', 'x-list'], { 'ce-id': '1', 'ce-my-own': 'é', 'x-list': 'a,b' }],
  [['x-none-*'], undefined],
  [['constructor', '__proto__'], undefined],
])('of a request %j keeps %j', (names, kept) => {
  const headers = { 'x-kind': 'k', 'ce-id': '1', 'ce-my-own': 'é', ce: 'no', 'x-list': ['a', 'b'] as never, 'content-type': 'text/plain' };
  expect(new KeptHeaders(names).of(headers)).toEqual(kept);
});
