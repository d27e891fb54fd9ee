import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Demo, startDemo } from '../../src/collect/demo.js';
import { DEMO_BACKLOG, DEMO_SCHEDULE, DEMO_SECONDS, demoMoment } from '../../src/collect/demo-schedule.js';
import { needs } from '../support/needs.js';

describe('the schedule of the demo', () => {
  const at = (second: number) => demoMoment(second * 1000);

  it('goes through filling, full, overflow and recovery in 60 s, and repeats', () => {
    expect(DEMO_SECONDS).toBe(60);
    const names = [2, 10, 17, 22, 26, 35, 50, 62].map((second) => at(second).phase.name);
    expect(names).toEqual(['calm', 'slowing', 'filling', 'stopping', 'full', 'overflow', 'recovery', 'calm']);
  });

  it('fills to 82% before the acceptor stops, then to the last slot, and only then beyond', () => {
    const inService = 2;
    expect(at(17).clients - inService).toBe(14);
    const held = 1;
    expect(at(26).clients - held).toBe(DEMO_BACKLOG + 1);
    expect(at(39).clients - held).toBeGreaterThan(DEMO_BACKLOG + 1);
  });

  it('never has more than 30 clients, so that all sockets of both sides are fewer than 100', () => {
    expect(Math.max(...DEMO_SCHEDULE.map(({ clients }) => clients))).toBe(30);
    for (let second = 0; second < 120; second++) expect(at(second).clients).toBeLessThanOrEqual(30);
  });

  it('runs faster with a shorter cycle', () => {
    expect(demoMoment(2200, 6000).phase.name).toBe(at(22).phase.name);
    expect(demoMoment(3500, 6000).clients).toBe(at(35).clients);
  });
});

interface Look {
  readonly length: number;
  readonly backlog: number;
  readonly dropped: number;
  readonly states: Record<string, number>;
}

/** What the kernel says, without sockwatch. */
function look({ port }: Pick<Demo, 'port'>): Look | undefined {
  const filter = `( sport = :${port} or dport = :${port} )`;
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  const lines = execFileSync('ss', ['-HtanmO', filter], { encoding: 'utf8', env }).split('\n');
  const states: Record<string, number> = {};
  for (const line of lines) {
    const [state] = line.split(/\s/);
    if (state !== undefined && state !== '') states[state] = (states[state] ?? 0) + 1;
  }
  const listener = lines.find((line) => line.startsWith('LISTEN'));
  if (listener === undefined) return undefined;
  const [, length, backlog] = listener.split(/\s+/);
  const [, dropped] = /skmem:\(.*,d(\d+)\)/.exec(listener) ?? [];
  return { length: Number(length), backlog: Number(backlog), dropped: Number(dropped), states };
}

const CYCLE_MS = 9000;
const reason = needs({ programs: ['ss'] });

describe.skipIf(reason)(`startDemo${reason ? ` (skipped: ${reason})` : ''}`, () => {
  it('really overflows, recovers, and leaves nothing behind', async () => {
    const demo = await startDemo({ cycleMs: CYCLE_MS });
    const looks: Partial<Record<string, Look>> = {};
    let most = 0;
    const start = performance.now();
    while (performance.now() - start < CYCLE_MS - 100) {
      const before = demo.phase();
      const seen = look(demo);
      // The last look that lies wholly within each phase.
      if (seen !== undefined && demo.phase() === before) looks[before] = seen;
      most = Math.max(
        most,
        Object.values(seen?.states ?? {}).reduce((sum, count) => sum + count, 0),
      );
      await sleep(50);
    }
    await demo.end();

    expect(looks.filling).toMatchObject({ backlog: DEMO_BACKLOG, dropped: 0 });
    expect(looks.filling?.length).toBeGreaterThanOrEqual(12);
    expect(looks.filling?.length).toBeLessThan(16);
    expect(looks.full).toMatchObject({ length: DEMO_BACKLOG + 1, dropped: 0 });
    expect(looks.overflow).toMatchObject({ length: DEMO_BACKLOG + 1 });
    expect(looks.overflow?.dropped).toBeGreaterThan(5);
    expect(looks.recovery?.length).toBeLessThan(4);
    expect(looks.recovery?.states['TIME-WAIT']).toBeUndefined();
    expect(most).toBeGreaterThan(40);
    expect(most).toBeLessThan(100);
    await sleep(50);
    expect(look(demo)).toBeUndefined();
  });

  it('ends while its acceptor is stopped, and may be ended twice', async () => {
    const demo = await startDemo({ cycleMs: 1000 });
    while (demo.phase() !== 'full') await sleep(10);
    const start = performance.now();
    await demo.end();
    await demo.end();
    expect(performance.now() - start).toBeLessThan(2000);
    expect(look(demo)).toBeUndefined();
  });
});
