import { describe, expect, it } from 'vitest';
import { loadSystemCalls } from '../../src/collect/netlink-socket.js';
import { threadClock } from '../../src/collect/thread-clock.js';

const missing = await loadSystemCalls().then(
  () => undefined,
  (error: Error) => error.message,
);
const wait = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

describe.skipIf(missing)(`the clock of a thread${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('stands while the thread waits', async () => {
    const clock = await threadClock();
    const before = clock();
    wait(300);
    expect(clock() - before).toBeLessThan(150);
  });

  it('goes on while it works, and no faster than time', async () => {
    const clock = await threadClock();
    const [before, started] = [clock(), performance.now()];
    let reads = 0;
    for (; clock() - before < 50; reads++);
    expect(performance.now() - started).toBeGreaterThanOrEqual(45);
    // It is no clock of ticks: so fine that a beat of parts of a millisecond is measured.
    expect(reads).toBeGreaterThan(500);
    const steps = Array.from({ length: 100 }, () => clock());
    expect(new Set(steps).size).toBe(100);
  });
});
