import { Router, topicMatches } from './topic-pattern';

describe('topicMatches', () => {
  it.each([
    ['#', '', true],
    ['*', '', false],
    ['', '', true],
    ['', 'a', false],
    ['a.#.#.b', 'a.b', true],
    ['#.#', 'a', true],
    ['*.#', '', false],
    ['*.#', 'a', true],
    ['a.*', 'a', false],
    ['a.*', 'a.', true],
    ['a.b', 'a.bc', false],
    ['#.a.#.b', 'x.a.y.a.b', true],
    ['#.a.#.b', 'x.a.y.a.c', false],
  ])('pattern "%s" and key "%s": %s', (pattern, key, expected) => {
    expect(topicMatches(pattern, key)).toBe(expected);
  });

  it('takes a hostile key in no time', () => {
    const pattern = Array.from({ length: 20 }, () => '#.a').join('.');
    expect(topicMatches(pattern, Array.from({ length: 100 }, () => 'b').join('.'))).toBe(false);
  });
});

describe('Router', () => {
  const topology = {
    queues: ['q1', 'q2'],
    exchanges: [
      { name: 'd', type: 'direct' as const },
      { name: 't', type: 'topic' as const },
    ],
    bindings: [
      { exchange: 'd', queue: 'q1', pattern: '#' },
      { exchange: 't', queue: 'q1', pattern: 'a.#' },
      { exchange: 't', queue: 'q2', pattern: 'a.b' },
      { exchange: 't', queue: 'q1', pattern: 'a.b' },
    ],
  };
  const router = new Router(topology, new Set(['q1', 'q2', 'q1.dead']));

  it.each([
    ['', 'q1.dead', ['q1.dead']],
    ['', 'nobody', []],
    ['d', '#', ['q1']],
    ['d', 'a', []],
    ['t', 'a.b', ['q1', 'q2']],
    ['t', 'a', ['q1']],
    ['unknown', 'a', []],
  ])('exchange "%s", key "%s" → %j', (exchange, key, queues) => {
    expect(router.route(exchange, key)).toEqual(queues);
    expect(router.route(exchange, key)).toEqual(queues);
  });
});
