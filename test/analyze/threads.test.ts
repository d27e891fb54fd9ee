import { describe, expect, it } from 'vitest';
import { acceptorEvidence, heldConnections } from '../../src/analyze/acceptors.js';
import { readListeners } from '../../src/analyze/listeners.js';
import { DEFAULT_THRESHOLDS } from '../../src/analyze/thresholds.js';
import { judge } from '../../src/analyze/verdict.js';
import type { Listener, ListenerWindow } from '../../src/model/listener.js';
import type { AcceptorFacts, ThreadFacts } from '../../src/model/processes.js';
import { connections, millis } from '../../src/model/units.js';
import { buildTable, listen, type RowSpec, waiting } from '../support/table-builder.js';

const OWNER = { pid: 812, fd: 6, name: 'java' };
const LISTEN = (length: number) => listen('0.0.0.0:8080', [length, 4], { inode: 7 }, { owners: [OWNER] });

/** Accepted connection `n`, quiet for `ms`. */
const accepted = (n: number, ms: number, rest: RowSpec = {}): RowSpec => ({
  local: '10.0.0.1:8080',
  remote: `10.0.0.9:${n + 1}`,
  ...rest,
  columns: { inode: 100 + n, lastSentMs: ms, lastReceivedMs: ms, ...rest.columns },
});
const waits = (count: number, ms: number) =>
  Array.from({ length: count }, (_, n) => waiting('10.0.0.1:8080', `10.0.0.8:${n + 1}`, ms));

const threadsOf = (rest: Partial<ThreadFacts>): ThreadFacts => ({
  threads: 3,
  looked: 3,
  accepting: 0,
  polling: 0,
  pollingOne: 0,
  readingFrom: [],
  parked: 0,
  running: 0,
  blockedOnDisk: 0,
  ...rest,
});
const acceptor = (threads: Partial<ThreadFacts>, rest: Partial<AcceptorFacts> = {}): AcceptorFacts => ({
  owner: OWNER,
  now: { state: 'S', threads: threadsOf(threads) },
  ...rest,
});

const STALLED: ListenerWindow = {
  windowMs: millis(1000),
  ageMs: millis(9000),
  peak: connections(5),
  peakAt: 0,
  recentOverflows: [false],
  stalledMs: millis(4000),
  history: [],
};

function rulesOf(rows: readonly RowSpec[], acceptors: readonly AcceptorFacts[], stalled = false) {
  const table = buildTable(rows);
  const [listener] = readListeners(table, { netns: 'ns', connectionsAsked: true, synRecvAsked: true });
  const { findings } = judge({
    listener: listener as Listener,
    thresholds: DEFAULT_THRESHOLDS,
    oneLook: !stalled,
    ...(stalled && {
      window: STALLED,
      past: {
        criticalMs: millis(0),
        busyMs: millis(4000),
        accepts: false,
        stalledWindows: 4,
        recentPeak: { length: 5, agoMs: millis(0), lastedMs: millis(0) },
        shortBursts: 0,
      },
    }),
    acceptors,
    held: heldConnections(table, listener as Listener, acceptors),
  });
  const OF_THREADS = ['threads_blocked', 'threads_busy', 'connection_limit'];
  return findings.filter(({ rule }) => OF_THREADS.includes(rule));
}

const IDLE = [accepted(1, 4000), accepted(2, 5000), accepted(3, 6000)];

const IN_USE = [accepted(1, 50), accepted(2, 80), accepted(3, 20)];

describe('threads_blocked', () => {
  it('every thread reads from an idle connection while others wait', () => {
    const found = rulesOf(
      [LISTEN(5), ...IDLE, ...waits(5, 2000)],
      [acceptor({ readingFrom: [101, 102, 103] })],
    );
    expect(found).toMatchObject([
      {
        rule: 'threads_blocked',
        severity: 'critical',
        message:
          '3 threads wait in read() for the next request on idle connections, while 5 connections wait for accept()',
      },
    ]);
  });

  it('every worker waits for the next request of a client that asks all the time', () => {
    const workers = [101, 102, 103].map((inode, n) => ({
      ...acceptor({ threads: 1, looked: 1, readingFrom: [inode] }),
      owner: { ...OWNER, pid: 900 + n },
      since: { windowMs: 1000, cpus: 0.001 },
    }));
    // The process that forked them sleeps.
    const master = acceptor({ threads: 1, looked: 1, parked: 1 });
    const [found, ...more] = rulesOf([LISTEN(3), ...IN_USE, ...waits(3, 2000)], [master, ...workers]);
    expect(more).toEqual([]);
    expect(found).toMatchObject({
      rule: 'threads_blocked',
      message:
        '3 of 3 worker processes each wait in read() on a connection of their own (busy keep-alive clients), while 3 connections wait for accept()',
      advice: expect.stringMatching(/gives? each connection a process until/),
    });
    expect(found?.evidence.map(({ metric }) => metric)).not.toContain('owner.cpus');
    // Some idle, some not.
    const mixed = [accepted(1, 50), accepted(2, 5000), accepted(3, 20)];
    const threads = acceptor({ readingFrom: [101, 102, 103] });
    expect(rulesOf([LISTEN(3), ...mixed, ...waits(3, 2000)], [threads])).toMatchObject([
      { message: expect.stringMatching(/^3 of 3 worker threads each wait in read\(\)/) },
    ]);
  });

  it('several processes with one thread each, and a thread for each connection of Java', () => {
    const each = [101, 102, 103].map((inode) => acceptor({ threads: 1, looked: 1, readingFrom: [inode] }));
    expect(rulesOf([LISTEN(2), ...IDLE, ...waits(2, 2000)], each)).toMatchObject([
      { severity: 'critical', message: expect.stringMatching(/^3 processes wait in read\(\) for/) },
    ]);
    const java = acceptor({ threads: 20, looked: 20, pollingOne: 3, parked: 17 });
    expect(rulesOf([LISTEN(2), ...IDLE, ...waits(2, 2000)], [java])).toMatchObject([
      { message: expect.stringContaining('a thread seems to wait on each of 3 idle connections') },
    ]);
  });

  it.each([
    ['nobody waits', [LISTEN(0), ...IDLE], acceptor({ readingFrom: [101, 102, 103] })],
    [
      'they wait for a moment',
      [LISTEN(2), ...IDLE, ...waits(2, 100)],
      acceptor({ readingFrom: [101, 102, 103] }),
    ],
    [
      'a thread is in accept()',
      [LISTEN(2), ...IDLE, ...waits(2, 2000)],
      acceptor({ readingFrom: [101], accepting: 1 }),
    ],
    [
      'they read from a database',
      [LISTEN(2), ...IDLE, ...waits(2, 2000)],
      acceptor({ readingFrom: [901, 902, 903] }),
    ],
    [
      'one of them serves a request',
      [LISTEN(2), ...IN_USE, ...waits(2, 2000)],
      acceptor({ readingFrom: [101, 102], running: 1 }),
    ],
    [
      'one has not read what came',
      [LISTEN(2), ...IN_USE.slice(1), accepted(1, 50, { queues: [5, 0] }), ...waits(2, 2000)],
      acceptor({ readingFrom: [101, 102, 103] }),
    ],
    [
      'more threads wait for many than for one',
      [LISTEN(2), ...IN_USE, ...waits(2, 2000)],
      acceptor({ threads: 7, looked: 7, polling: 4, readingFrom: [101, 102, 103] }),
    ],
    [
      'an event loop has connections in use',
      [LISTEN(2), ...IN_USE, ...waits(2, 2000)],
      acceptor({ threads: 1, looked: 1, polling: 1 }),
    ],
    [
      'a worker of busy connections is in accept()',
      [LISTEN(2), ...IN_USE, ...waits(2, 2000)],
      acceptor({ threads: 4, looked: 4, readingFrom: [101, 102, 103], accepting: 1 }),
    ],
    [
      'one thread waits for many',
      [LISTEN(2), ...IDLE, ...waits(2, 2000)],
      acceptor({ threads: 1, looked: 1, polling: 1 }),
    ],
    [
      'most of them work',
      [LISTEN(2), ...IDLE, ...waits(2, 2000)],
      acceptor({ threads: 9, looked: 9, readingFrom: [101], running: 8 }),
    ],
    ['they cannot be read', [LISTEN(2), ...IDLE, ...waits(2, 2000)], acceptor({ looked: 0 })],
  ])('not when %s', (_, rows, one) => {
    expect(rulesOf(rows, [one])).toEqual([]);
  });
});

describe('connection_limit', () => {
  const atLimit = [LISTEN(5), ...IDLE, ...waits(5, 4000)];
  const resting = acceptor({ threads: 12, looked: 12, polling: 1, parked: 11 });

  it('nobody accepts, nobody works', () => {
    expect(rulesOf(atLimit, [resting], true)).toMatchObject([
      {
        rule: 'connection_limit',
        severity: 'critical',
        advice: expect.stringContaining('Tomcat maxConnections'),
      },
    ]);
  });

  it.each([
    ['one look alone', resting, false],
    ['a thread works', acceptor({ threads: 12, looked: 12, polling: 1, parked: 10, running: 1 }), true],
    ['all wait for each other: a deadlock', acceptor({ threads: 12, looked: 12, parked: 12 }), true],
    ['the process is stopped', { ...resting, now: { ...resting.now, state: 'T' } }, true],
  ])('not for %s', (_, one, stalled) => {
    expect(rulesOf(atLimit, [one], stalled)).toEqual([]);
  });
});

describe('what may slow accept() down', () => {
  const textsOf = (one: AcceptorFacts) => acceptorEvidence([one]).map(({ text }) => text);
  const since = { windowMs: 1000, cpus: 0.2, runWaitMs: 0, throttledTimes: 0, throttledMs: 0 };

  it('says what was seen, and nothing of what was not', () => {
    expect(textsOf(acceptor({}, { since }))).toEqual([]);
    expect(textsOf(acceptor({}))).toEqual([]);
    expect(textsOf(acceptor({}, { since: { ...since, throttledTimes: 7, throttledMs: 640 } }))).toEqual([
      'the control group of java/812 used up its CPU quota 7 times and was throttled for 640 ms in the last 1.0 s',
    ]);
    expect(textsOf(acceptor({}, { since: { ...since, runWaitMs: 400, cpus: 1.3 } }))).toEqual([
      'threads of java/812 were ready to run and waited for a processor for 400 ms in the last 1.0 s',
      'java/812 used 1.3 processors in the last 1.0 s',
    ]);
    expect(textsOf(acceptor({}, { since: { ...since, cpus: 0.01 } }))).toEqual([
      'java/812 used 1% of a processor in the last 1.0 s: it waits for something',
    ]);
  });

  it('names states that keep it from running', () => {
    expect(textsOf({ owner: OWNER, now: { state: 'T' } })).toEqual(['java/812 is stopped (state T)']);
    expect(textsOf(acceptor({ blockedOnDisk: 2 }))).toEqual([
      '2 threads of java/812 in uninterruptible sleep (state D): storage, mostly',
    ]);
  });
});

describe('threads_busy', () => {
  /** Connection `n` to the database, whose last answer came after `answeredMs`, and the last request `askedMs` ago. */
  const toDatabase = (n: number, askedMs = 3000, answeredMs = 4000, rest: RowSpec = {}): RowSpec => ({
    local: `10.0.0.1:${40_000 + n}`,
    remote: '10.0.0.9:3306',
    ...rest,
    columns: { inode: 200 + n, lastSentMs: askedMs, lastReceivedMs: answeredMs },
  });
  const server = acceptor({
    threads: 6,
    looked: 6,
    parked: 1,
    running: 1,
    readingFrom: [201, 202, 203, 204],
  });
  const found = (make: (n: number) => RowSpec, of = server, waitMs = 2000) =>
    rulesOf([LISTEN(5), ...[1, 2, 3, 4].map(make), ...waits(5, waitMs)], [of]);

  it('most threads wait for one other server while connections wait', () => {
    expect(found((n) => toDatabase(n))).toMatchObject([
      {
        rule: 'threads_busy',
        severity: 'critical',
        message:
          '4 of 5 threads of java/812 wait in read() for 10.0.0.9:3306, while 5 connections wait for accept()',
      },
    ]);
  });

  it.each([
    ['each for another server', (n: number) => toDatabase(n, 3000, 4000, { remote: `10.0.0.${n}:3306` })],
    ['with answers that they have not read', (n: number) => toDatabase(n, 3000, 4000, { queues: [9, 0] })],
    ['with nothing asked since the last answer', (n: number) => toDatabase(n, 5000, 4000)],
    ['for a moment', (n: number) => toDatabase(n, 300, 4000)],
  ])('not %s', (_, make) => {
    expect(found(make)).toEqual([]);
  });

  it('not where others could accept, nor where nobody waits', () => {
    const many = acceptor({ threads: 12, looked: 12, polling: 8, readingFrom: [201, 202, 203, 204] });
    expect(found((n) => toDatabase(n), many)).toEqual([]);
    expect(found((n) => toDatabase(n), acceptor({ readingFrom: [201], running: 1, parked: 1 }))).toEqual([]);
    expect(found((n) => toDatabase(n), server, 100)).toEqual([]);
  });
});
