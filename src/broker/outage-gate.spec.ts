import { OutageGate } from './outage-gate';

const WAITS = { firstMs: 1, maxMs: 4, holdLimitMs: Infinity };

describe('OutageGate', () => {
  it('opens once what was away is back; an error counts as away', async () => {
    const answers = [(): Promise<boolean> => Promise.resolve(false), (): Promise<boolean> => Promise.reject(new Error('no answer'))];
    let asked = 0;
    const gate = new OutageGate(
      () => answers[asked++]?.() ?? Promise.resolve(true),
      WAITS,
      () => undefined,
    );
    expect(gate.closed).toBe(false);
    const opened = gate.close();
    expect(gate.closed).toBe(true);
    expect(gate.close()).toBe(opened);
    await opened;
    expect(gate.closed).toBe(false);
    expect(asked).toBe(3);
  });

  it('opens without asking when it is ended', async () => {
    let asked = 0;
    const gate = new OutageGate(
      () => Promise.resolve(++asked < 0),
      { ...WAITS, firstMs: 1_000_000 },
      () => undefined,
    );
    const opened = gate.close();
    gate.end();
    await opened;
    expect(asked).toBe(0);
  });

  it('tells when messages are held for too long, and goes on asking', async () => {
    let isBack = false;
    const gate = new OutageGate(
      () => Promise.resolve(isBack),
      { ...WAITS, holdLimitMs: 2 },
      () => (isBack = true),
    );
    await gate.close();
    expect(isBack).toBe(true);
  });
});
