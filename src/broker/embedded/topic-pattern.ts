import type { Topology } from '../topology';

/**
 * True when a topic pattern takes the routing key: words are separated by dots, `*` is exactly one word, `#` any number,
 * none too. As AMQP 0-9-1 has it.
 */
export function topicMatches(pattern: string, routingKey: string): boolean {
  const parts = wordsOf(pattern);
  const words = wordsOf(routingKey);
  // reachable[i]: the parts seen so far take exactly the first i words.
  let reachable = words.map(() => false).concat(false);
  reachable[0] = true;
  for (const part of parts) {
    const next = reachable.map(() => false);
    let open = false;
    for (let count = 0; count <= words.length; count += 1) {
      if (part === '#') {
        open ||= reachable[count] === true;
        next[count] = open;
      } else if (count > 0) {
        next[count] = reachable[count - 1] === true && (part === '*' || part === words[count - 1]);
      }
    }
    reachable = next;
  }
  return reachable[words.length] === true;
}

/** The empty key has no word at all, while `a.` has two: this is how RabbitMQ counts. */
const wordsOf = (text: string): string[] => (text === '' ? [] : text.split('.'));

const CACHE_SIZE = 1_000;

/** From a message's exchange and routing key to the queues that it goes to. */
export class Router {
  private readonly cache = new Map<string, readonly string[]>();
  private readonly types: ReadonlyMap<string, 'direct' | 'topic'>;

  constructor(
    private readonly topology: Topology,
    private readonly queues: ReadonlySet<string>,
  ) {
    this.types = new Map(topology.exchanges.map(({ name, type }) => [name, type]));
  }

  route(exchange: string, routingKey: string): readonly string[] {
    const key = `${exchange}\n${routingKey}`;
    let found = this.cache.get(key);
    if (found === undefined) {
      found = this.find(exchange, routingKey);
      if (this.cache.size >= CACHE_SIZE) this.cache.clear();
      this.cache.set(key, found);
    }
    return found;
  }

  private find(exchange: string, routingKey: string): string[] {
    if (exchange === '') return this.queues.has(routingKey) ? [routingKey] : [];
    const isTopic = this.types.get(exchange) === 'topic';
    const bound = this.topology.bindings.filter((binding) => {
      if (binding.exchange !== exchange) return false;
      return isTopic ? topicMatches(binding.pattern, routingKey) : binding.pattern === routingKey;
    });
    return [...new Set(bound.map(({ queue }) => queue))];
  }
}
