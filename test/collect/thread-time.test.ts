import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { ScanBudget } from '../../src/collect/scan-budget.js';
import { Effort, threadTime } from '../../src/collect/thread-time.js';

const missing = existsSync('/proc/thread-self/schedstat') ? undefined : 'needs /proc/thread-self/schedstat';

/** Works until this process has used so much processor time, ms: of one thread, that is the time of that thread. */
function work(ms: number): void {
  const end = process.cpuUsage();
  for (;;) {
    const { user, system } = process.cpuUsage(end);
    if (user + system >= ms * 1000) return;
  }
}

describe.skipIf(missing)(`the processor time of a thread${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('is what it worked, not what it waited', async () => {
    const before = threadTime() ?? Number.NaN;
    work(30);
    const worked = (threadTime() ?? Number.NaN) - before;
    // Other threads of this process, which only collect garbage, may have worked too.
    expect(worked).toBeGreaterThan(15);
    const rested = threadTime() ?? Number.NaN;
    await sleep(200);
    expect((threadTime() ?? Number.NaN) - rested).toBeLessThan(100);
  });

  it('is counted to the moment, not to the last tick', () => {
    const steps = Array.from({ length: 50 }, () => {
      const before = threadTime() ?? Number.NaN;
      // Without a call into the kernel, which might count.
      for (const end = performance.now() + 0.5; performance.now() < end; );
      return (threadTime() ?? Number.NaN) - before;
    });
    expect(steps.filter((step) => !(step > 0))).toEqual([]);
  });

  it('is that of the thread alone', async () => {
    const worker = new Worker(
      `setInterval(() => {}, 1e6); for (const end = Date.now() + 1e6; Date.now() < end;);`,
      {
        eval: true,
      },
    );
    const [before, all] = [threadTime() ?? Number.NaN, process.cpuUsage()];
    for (let used = 0; used < 300; ) {
      await sleep(10);
      const { user, system } = process.cpuUsage(all);
      used = (user + system) / 1000;
    }
    const own = (threadTime() ?? Number.NaN) - before;
    await worker.terminate();
    expect(own).toBeLessThan(150);
  });
});

describe('what a piece of work costs', () => {
  /** A clock that is set by hand. */
  const clock = () => {
    const time = { now: 100 as number | undefined };
    return { time, effort: new Effort(() => time.now) };
  };
  const pass = (ms: number) => {
    for (const end = performance.now() + ms; performance.now() < end; );
  };

  it('is processor time without what happens in its pauses', async () => {
    const { time, effort } = clock();
    pass(20);
    time.now = 104;
    effort.pause();
    time.now = 900;
    effort.resume();
    pass(5);
    time.now = 901.5;
    effort.pause();
    expect(effort.ms).toBeCloseTo(5.5);
  });

  it('is never more than the time that has passed, nor less than nothing', () => {
    const { time, effort } = clock();
    const began = performance.now();
    time.now = 100_000;
    effort.pause();
    expect(effort.ms).toBeGreaterThanOrEqual(0);
    expect(effort.ms).toBeLessThanOrEqual(performance.now() - began + 1000);
    expect(effort.ms).toBeLessThan(90_000);
    effort.resume();
    time.now = 5;
    const before = effort.ms;
    effort.pause();
    expect(effort.ms).toBe(before);
  });

  it('is what the clock says where the kernel does not count', () => {
    const effort = new Effort(() => undefined);
    pass(20);
    effort.pause();
    expect(effort.ms).toBeGreaterThanOrEqual(20);
  });
});

describe('the budget of scans', () => {
  const never = () => false;
  const urgent = () => true;

  it('is 5 % of a core', () => {
    const budget = new ScanBudget();
    expect(budget.isDue(0, never)).toBe(true);
    budget.scanned(1000, 10);
    expect(budget.isDue(1199, never)).toBe(false);
    expect(budget.isDue(1199, urgent)).toBe(false);
    expect(budget.isDue(1200, never)).toBe(true);
  });

  it('lets what is urgent wait 2 s at most', () => {
    const budget = new ScanBudget();
    budget.scanned(1000, 500);
    expect(budget.isDue(2999, urgent)).toBe(false);
    expect(budget.isDue(3000, never)).toBe(false);
    expect(budget.isDue(3000, urgent)).toBe(true);
    expect(budget.isDue(10_999, never)).toBe(false);
    expect(budget.isDue(11_000, never)).toBe(true);
  });

  it('forgets what is forgiven', () => {
    const budget = new ScanBudget();
    budget.scanned(1000, 500);
    budget.forgive();
    expect(budget.isDue(1000, never)).toBe(true);
  });
});
