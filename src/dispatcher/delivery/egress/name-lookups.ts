import type { LookupAddress } from 'node:dns';

type Answer = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;

/** Every address of a name; node:dns by default. */
export type Resolve = (name: string, callback: Answer) => void;

/** The same, with one look-up of a name at a time, however many wait for it: the system makes few at once, and one that hangs is in the way of all. */
export function shared(resolve: Resolve): Resolve {
  const underWay = new Map<string, Answer[]>();
  return (name, callback) => {
    const others = underWay.get(name);
    if (others !== undefined) return void others.push(callback);
    const waiting = [callback];
    underWay.set(name, waiting);
    resolve(name, (error, addresses) => {
      underWay.delete(name);
      for (const answer of waiting) answer(error, addresses);
    });
  };
}

/** Answers in time, be it with the code of a resolver that cannot be reached. */
export function within(waitMs: number, resolve: Resolve): Resolve {
  return (name, callback) => {
    let answer = (...result: Parameters<Answer>): void => {
      clearTimeout(timer);
      answer = () => undefined;
      callback(...result);
    };
    const timer = setTimeout(() => answer(Object.assign(new Error(`No resolver answered for ${name}`), { code: 'EAI_AGAIN' }), []), waitMs);
    resolve(name, (...result) => answer(...result));
  };
}
