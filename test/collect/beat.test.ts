import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { BeatBudget, BeatClock } from '../../src/collect/beat-clock.js';
import { BeatLoop, type BeatTask } from '../../src/collect/beat-loop.js';
import { DividedShare, levelOf } from '../../src/collect/beat-share.js';
import { BeatTasks } from '../../src/collect/beat-tasks.js';
import type { ClosedTaskSpec } from '../../src/collect/closed-task.js';
import { chooseFollowed } from '../../src/collect/followed.js';
import { type ListenBatch, ListenTask, type ListenTaskSpec } from '../../src/collect/listen-task.js';
import { openDiagSocket } from '../../src/collect/netlink-socket.js';
import { NamespaceError, type NamespacePlace } from '../../src/collect/netns-enter.js';
import { type Pace, SamplePace } from '../../src/collect/sample-pace.js';
import { SourceError } from '../../src/model/errors.js';
import { type Behaviour, FakeSocket } from './fake-socket.js';

const missing = await openDiagSocket(1000).then(
  (socket) => socket.close(),
  (error: Error) => error.message,
);

describe('the clock of beats', () => {
  it('keeps its grid: a beat that comes late does not move the next ones', () => {
    const clock = new BeatClock(1000, 10);
    expect(clock.remaining(1000)).toBe(0);
    clock.take(1000);
    expect(clock.remaining(1003)).toBe(7);
    clock.take(1014);
    expect(clock.remaining(1014)).toBe(6);
    expect(clock.missed).toBe(0);
  });

  it('leaves beats out that are over, and counts them', () => {
    const clock = new BeatClock(0, 10);
    clock.take(0);
    clock.take(45);
    expect(clock.missed).toBe(3);
    expect(clock.remaining(45)).toBe(5);
  });
});

describe('the budget of a task', () => {
  const beats = (costMs: number, share = 0.02, count = 100) => {
    const budget = new BeatBudget(share, 10);
    let worked = 0;
    for (let beat = 0; beat < count; beat++) {
      if (!budget.isDue(beat * 10)) continue;
      worked++;
      budget.worked(beat * 10, costMs);
    }
    return worked;
  };

  it.each([
    ['cheap: at every beat', 0.1, 100],
    ['at its limit', 0.2, 100],
    ['twice its limit: at every other', 0.4, 50],
    ['ten times', 2, 10],
    ['a kernel that needs half a second: after its first beats', 500, 4],
  ])('%s', (_, costMs, worked) => {
    expect(beats(costMs)).toBe(worked);
  });

  it('a cold first beat does not cost the next ones seconds, and its cost is soon forgotten', () => {
    const budget = new BeatBudget(0.012, 10);
    const worked: number[] = [];
    for (let now = 0; now < 3000; now += 10) {
      if (!budget.isDue(now)) continue;
      budget.worked(now, worked.length === 0 ? 75 : 2);
      worked.push(now);
    }
    expect(worked.slice(0, 3)).toEqual([0, 200, 370]);
    // 2 ms of 12 ms per second: six times per second.
    expect(worked.length).toBeGreaterThan(15);
    expect(worked.length).toBeLessThan(20);
  });

  it('several cold beats do not either: on a busy machine they last', () => {
    const budget = new BeatBudget(0.012, 10);
    const costs = [600, 170, 60, 25];
    const worked: number[] = [];
    for (let now = 0; now < 6000; now += 10) {
      if (!budget.isDue(now)) continue;
      budget.worked(now, costs[worked.length] ?? 2.4);
      worked.push(now);
    }
    const gaps = worked.slice(1).map((at, index) => at - (worked[index] as number));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(800);
    // Nearly as often as a beat of 2.4 ms may work: each 200 ms.
    expect(worked.length).toBeGreaterThan(20);
    expect(worked.length).toBeLessThanOrEqual(30);
  });

  it('tells how often it may work once it knows', () => {
    const budget = new BeatBudget(0.02, 10);
    for (const at of [0, 200, 400]) {
      budget.worked(at, 2);
      expect(budget.pace).toEqual({ costMs: 2 });
    }
    budget.worked(600, 2);
    expect(budget.pace).toEqual({ costMs: 2, gapMs: 100 });
  });

  it('one beat during which the thread lost its processor changes nothing', () => {
    const budget = new BeatBudget(0.02, 10);
    for (let beat = 0; beat < 20; beat++) budget.worked(beat * 10, beat === 12 ? 40 : 0.05);
    expect(budget.isDue(200)).toBe(true);
  });
});

describe('a share of a core that is divided', () => {
  it('gives each what it needs where that is little, and the others the same part of what is left', () => {
    expect(levelOf([0.01, 0.02], 0.06)).toBe(Number.POSITIVE_INFINITY);
    expect(levelOf([0.01, 0.01, 0.05, 0.07], 0.08)).toBeCloseTo(0.03);
    expect(levelOf([0.02, 0.02, 0.02], 0.03)).toBeCloseTo(0.01);
    expect(levelOf([], 0.03)).toBe(Number.POSITIVE_INFINITY);
  });

  it('gives one alone what it would have by itself', () => {
    const share = new DividedShare(0.012, 0.1);
    expect(share.grant({}, 5)).toBe(0.012);
  });

  it('keeps many to what there is together, and what one leaves the others have', () => {
    const share = new DividedShare(0.012, 0.1);
    const tasks = Array.from({ length: 20 }, () => ({}));
    for (let round = 0; round < 6; round++) for (const task of tasks) share.grant(task, 0.01);
    const granted = tasks.map((task) => share.grant(task, 0.01));
    expect(granted.reduce((sum, one) => sum + one, 0)).toBeCloseTo(0.1);
    for (const task of tasks.slice(10)) share.leave(task);
    expect(share.grant(tasks[0] as object, 0.01)).toBe(0.012);
    // What some need less of the others may have.
    const few = new DividedShare(0.012, 0.02);
    const [cheap, dear] = [{}, {}];
    for (let round = 0; round < 9; round++) few.grant(cheap, 0.009);
    for (let round = 0; round < 9; round++) few.grant(dear, 0.5);
    expect(few.grant(dear, 0.5)).toBeCloseTo(0.011);
  });
});

describe('the tasks of a thread', () => {
  const spec = (key: string, bufferBytes = 1): ClosedTaskSpec => ({ kind: 'closed', key, bufferBytes });

  it('come, change and go by their keys; what could not be opened is told, and tried again', async () => {
    const log: string[] = [];
    let isGone = true;
    const tasks = new BeatTasks(async ({ key }) => {
      if (key === 'c' && isGone) throw new NamespaceError('missing', 'c is not there');
      log.push(`open ${key}`);
      return {
        beat: () => {},
        take: () => ({ batch: `of ${key}` }),
        change: (to) => void log.push(`${key} has ${(to as ClosedTaskSpec).bufferBytes}`),
        close: () => void log.push(`close ${key}`),
      };
    });
    await tasks.follow([spec('a'), spec('b')]);
    await tasks.follow([spec('b', 2), spec('c')]);
    expect(log).toEqual(['open a', 'open b', 'close a', 'b has 2']);
    expect(tasks.take(0).told).toEqual([
      { key: 'c', fault: 'c is not there', isOfNamespace: true },
      { key: 'b', batch: 'of b' },
    ]);
    isGone = false;
    await tasks.follow([spec('c')]);
    expect(tasks.take(0).told).toEqual([{ key: 'c', batch: 'of c' }]);
    tasks.close();
    expect(log.slice(4)).toEqual(['close b', 'open c', 'close c']);
    expect([...tasks.values()]).toEqual([]);
  });

  it('another error is none of a task: it ends the thread', async () => {
    const tasks = new BeatTasks(() => Promise.reject(new TypeError('broken')));
    await expect(tasks.follow([spec('a')])).rejects.toThrow('broken');
  });
});

describe('namespaces that are followed', () => {
  const list = (...ids: number[]) => ids.map((id) => ({ id: String(id) }));

  it('are so many at most, those that were followed before the others', () => {
    expect(chooseFollowed(list(1, 2, 3), [], 3)).toEqual(list(1, 2, 3));
    expect(chooseFollowed(list(1, 2, 3, 4), list(4, 3), 3)).toEqual(list(3, 4, 1));
    expect(chooseFollowed(list(5), list(4, 3), 3)).toEqual(list(5));
  });
});

describe('samples that are rarer than was asked for', () => {
  const pace = (wanted = 100) => new SamplePace('samples of TCP listeners', wanted);
  const cost = (costMs: number) => ({ listeners: 3000, costMs, gapMs: costMs / 0.012 });
  /** What is told once it has been so for as long as it takes. */
  const told = (of: SamplePace, ...costs: Pace[]) => {
    expect(of.gap(costs, 1000)).toBeUndefined();
    expect(of.gap(costs, 5999)).toBeUndefined();
    return of.gap(costs, 6000);
  };

  it('are told with their cost where less than half of them can be had', () => {
    expect(told(pace(), cost(2.4))).toEqual({
      what: 'samples of TCP listeners',
      why: 'about 5 per second, not 100: 3,000 listeners take 2.4 ms each time',
    });
    expect(told(pace(), cost(0.23))).toBeUndefined();
    expect(told(pace(5), cost(2.4))).toBeUndefined();
    expect(told(pace(), { listeners: 3000, costMs: 75 })).toBeUndefined();
  });

  it('in the same words until the cost is another, and no more when they come as asked for', () => {
    const slow = pace();
    const first = told(slow, cost(2.4));
    expect(first).toBeDefined();
    expect(slow.gap([cost(3.1)], 6200)).toEqual(first);
    expect(slow.gap([cost(9)], 6400)?.why).toContain('take 9 ms');
    expect(slow.gap([cost(0.1)], 6600)).toBeUndefined();
  });

  it('are not told where a busy machine makes them dear for a few seconds', () => {
    const busy = pace();
    for (let at = 0; at < 60_000; at += 5000) {
      expect(busy.gap([cost(0.25)], at)).toBeUndefined();
      expect(busy.gap([cost(0.25)], at + 4000)).toBeUndefined();
      expect(busy.gap([cost(0.1)], at + 4500)).toBeUndefined();
    }
  });

  it('in some of several namespaces are told in one line', () => {
    const [quick, slow] = [
      { listeners: 2, costMs: 0.02, gapMs: 10 },
      { listeners: 40, costMs: 0.2, gapMs: 50 },
    ];
    const some = pace();
    expect(told(some, quick, slow, { ...slow, gapMs: 40 })).toEqual({
      what: 'samples of TCP listeners',
      why: 'in 2 of 3 namespaces about 20 per second or more, not 100: 80 listeners take 0.4 ms each time',
    });
    expect(some.gap([quick, quick], 7000)).toBeUndefined();
  });
});

it('a loop does all the tasks that there are now', () => {
  let now = 0;
  const log: string[] = [];
  const task = (name: string): BeatTask => ({
    beat: (at) => void log.push(`${name} ${at}`),
    take: () => ({ batch: name }),
    close: () => {},
  });
  const tasks = [task('a')];
  const loop = new BeatLoop(
    () => tasks,
    10,
    () => now,
  );
  loop.beat();
  now = 7;
  expect(loop.remaining()).toBe(3);
  now = 10;
  tasks.push(task('b'));
  loop.beat();
  expect(log).toEqual(['a 0', 'a 10', 'b 10']);
});

describe('a task that samples listeners', () => {
  const SPEC = {
    kind: 'listeners',
    key: 'tcp',
    family: 'tcp',
    netns: '1',
    share: 1e9,
    together: 1e9,
  } as const;
  const open = async (behaviour: Behaviour = {}, family: 'tcp' | 'unix' = 'tcp') => {
    const sockets: FakeSocket[] = [];
    const task = await ListenTask.open({ ...SPEC, family }, 10, SPEC.share, async () => {
      const socket = new FakeSocket(sockets.length === 0 ? behaviour : {});
      sockets.push(socket);
      return socket;
    });
    return { task, sockets, take: () => task.take().batch as ListenBatch };
  };

  it('asks for both families, and counts looks, gaps and costs', async () => {
    const { task, sockets, take } = await open();
    for (const at of [1000, 1010, 1035]) task.beat(at);
    expect(sockets[0]?.asked).toEqual(['tcp4', 'tcp6', 'tcp4', 'tcp6', 'tcp4', 'tcp6']);
    const batch = take();
    expect(batch).toMatchObject({ looks: 3, from: 1000, to: 1035, longestGapMs: 25, faults: [] });
    expect(batch.costMs).toBeGreaterThan(0);
    expect(batch.listeners.length).toBeGreaterThan(0);
    expect(batch.listeners.every(({ samples }) => samples === 3)).toBe(true);
    task.beat(1100);
    expect(take()).toMatchObject({ looks: 1, from: 1100, to: 1100, longestGapMs: 65 });
    expect(take()).toMatchObject({ looks: 0, listeners: [], from: 1100, to: 1100, longestGapMs: 0 });
  });

  it('knows how many there are, and what a look costs', async () => {
    const { task, take } = await open();
    for (const at of [1000, 1010, 1020, 1030]) task.beat(at);
    const { pace } = take();
    expect(pace.listeners).toBe(15);
    expect(pace.costMs).toBeGreaterThan(0);
    expect(pace.gapMs).toBe(pace.costMs / SPEC.share);
  });

  /** A kernel that lets the thread wait for 20 ms with each part of an answer. */
  class WaitingSocket extends FakeSocket {
    override receive(buffer: Uint8Array): number {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      return super.receive(buffer);
    }
  }

  it('a look costs what the clock of its thread says', async () => {
    const times = [100, 100.5, 200, 201, 300, 300.5, 400, 400.5];
    const task = await ListenTask.open(
      SPEC,
      10,
      0.01,
      async () => new FakeSocket({}),
      () => times.shift() ?? 0,
    );
    for (const at of [1000, 1200, 1400, 1600]) task.beat(at);
    expect(task.take().batch).toMatchObject({ looks: 4, costMs: 2.5, pace: { costMs: 0.5, gapMs: 50 } });
  });

  it.skipIf(missing)(`waiting costs nothing${missing ? ` (skipped: ${missing})` : ''}`, async () => {
    const task = await ListenTask.open(SPEC, 10, SPEC.share, async () => new WaitingSocket({}));
    for (let beat = 0; beat < 10; beat++) task.beat(1000 + beat * 10);
    const { looks, costMs } = task.take().batch as ListenBatch;
    expect(looks).toBe(10);
    expect(costMs).toBeGreaterThan(0);
    // By the clock it was 400 ms.
    expect(costMs).toBeLessThan(200);
  });

  it('samples Unix listeners', async () => {
    const { task, sockets, take } = await open({}, 'unix');
    task.beat(1000);
    expect(sockets[0]?.asked).toEqual(['unix']);
    expect(take().looks).toBe(1);
  });

  it('where nobody listens in another namespace, it asks ten times a second whether somebody does', async () => {
    const [sockets, place]: [FakeSocket[], NamespacePlace] = [[], { id: '101', path: '/run/netns/web' }];
    const start = async (spec: ListenTaskSpec) => {
      const socket = new FakeSocket({ refuses: { tcp4: 0, tcp6: 0 } });
      sockets.push(socket);
      const task = await ListenTask.open(spec, 10, 1e9, async () => socket);
      for (let at = 1000; at < 1500; at += 10) task.beat(at);
      return (task.take().batch as ListenBatch).looks;
    };
    expect(await start({ ...SPEC, place })).toBe(5);
    expect(await start(SPEC)).toBe(50);
  });

  it('a kernel without IPv6 has no such listeners', async () => {
    const { task, take } = await open({ refuses: { tcp6: 2 } });
    task.beat(1000);
    expect(take()).toMatchObject({ looks: 1, faults: [] });
  });

  it.each([
    ['refuses', { refuses: { tcp4: 1 } } as Behaviour, /not allowed here/],
    ['has no unix_diag', { refuses: { unix: 2 } } as Behaviour, /refused \(errno 2\)/],
  ])(
    'a kernel that %s: the fault is told once, and it is asked again after a while',
    async (_, behaviour, why) => {
      const family = behaviour.refuses?.unix === undefined ? 'tcp' : 'unix';
      const { task, sockets, take } = await open(behaviour, family);
      task.beat(1000);
      expect(take().faults).toEqual([expect.stringMatching(why)]);
      expect(sockets[0]?.closed).toBe(1);
      task.beat(1500);
      expect(sockets).toHaveLength(1);
      task.beat(2500);
      await vi.waitFor(() => expect(sockets).toHaveLength(2));
      await sleep(0);
      task.beat(2510);
      expect(take()).toMatchObject({ looks: 1, faults: [] });
      task.close();
      expect(sockets[1]?.closed).toBe(1);
    },
  );

  it('parts that were cut off are told', async () => {
    const { task, take } = await open({ cutOff: 1 });
    task.beat(1000);
    expect(take().faults).toEqual(['parts of the answers of the kernel could not be read']);
  });

  it('cannot be opened where the kernel has no sock_diag', async () => {
    const refused = new SourceError('missing', 'no sock_diag');
    await expect(ListenTask.open(SPEC, 10, 1, () => Promise.reject(refused))).rejects.toBe(refused);
  });

  it.skipIf(missing)(`asks the kernel itself${missing ? ` (skipped: ${missing})` : ''}`, async () => {
    const task = await ListenTask.open(SPEC, 10);
    task.beat(1000);
    task.beat(1010);
    expect(task.take().batch).toMatchObject({ looks: 2, faults: [] });
    task.close();
  });
});
