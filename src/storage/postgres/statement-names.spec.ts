import { StatementNames } from './statement-names';

it('names a statement when it is met for the third time, and keeps the name', () => {
  const names = new StatementNames();
  expect([1, 2, 3, 4].map(() => names.nameOf('select 1'))).toEqual([undefined, undefined, 'hookline_1', 'hookline_1']);
});

it('names no more statements than a server process can hold, and forgets what is met once', () => {
  const names = new StatementNames();
  for (let i = 0; i < 5_000; i++) names.nameOf(`select ${i}`);
  const named = Array.from({ length: 300 }, (_, i) => [1, 2, 3].map(() => names.nameOf(`select a${i}`))[2]);
  expect(new Set(named.filter((name) => name !== undefined)).size).toBe(200);
});

it('never names a very long statement', () => {
  const names = new StatementNames();
  const sql = `select ${'1,'.repeat(10_000)}1`;
  expect([1, 2, 3, 4].map(() => names.nameOf(sql))).toEqual([undefined, undefined, undefined, undefined]);
});
