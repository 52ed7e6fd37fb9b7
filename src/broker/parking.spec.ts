import type { IncomingMessage } from './broker';
import { Parking, retryDelayMs } from './parking';
import { REDELIVERY_LIMIT } from './topology';

const message = (id: string, bytes = 1): IncomingMessage => ({
  id,
  queue: 'q',
  exchange: '',
  routingKey: 'q',
  body: Buffer.alloc(bytes),
  headers: {},
  redeliveries: 0,
});

const FOREVER_MS = 1_000_000;

describe('retryDelayMs', () => {
  it('grows up to its maximum', () => {
    const delays = Array.from({ length: REDELIVERY_LIMIT }, (_, redeliveries) => retryDelayMs(redeliveries, 1_000));
    expect(delays[0]).toBe(20);
    expect(delays.at(-1)).toBe(1_000);
    expect(delays).toEqual([...delays].sort((a, b) => a - b));
  });

  it('lets a poison message be dead within half a minute', () => {
    const total = Array.from({ length: REDELIVERY_LIMIT }, (_, redeliveries) => retryDelayMs(redeliveries, 1_000)).reduce((a, b) => a + b);
    expect(total).toBeGreaterThan(10_000);
    expect(total).toBeLessThan(30_000);
  });
});

describe('Parking', () => {
  it('gives back the longest parked when there are too many, or too many bytes', () => {
    const back: string[] = [];
    const parking = new Parking(2, 10, ({ id }: IncomingMessage) => back.push(id));
    parking.park(message('a'), FOREVER_MS);
    parking.park(message('b'), FOREVER_MS);
    parking.park(message('c'), FOREVER_MS);
    expect(back).toEqual(['a']);
    parking.park(message('large', 9), FOREVER_MS);
    expect(back).toEqual(['a', 'b']);
    parking.releaseAll();
    expect(back).toEqual(['a', 'b', 'c', 'large']);
    expect(parking.size).toBe(0);
  });

  it('forgets what the broker has back', () => {
    const back: string[] = [];
    const parking = new Parking(2, 10, ({ id }: IncomingMessage) => back.push(id));
    parking.park(message('a'), FOREVER_MS);
    parking.clear();
    parking.releaseAll();
    expect(back).toEqual([]);
  });
});
