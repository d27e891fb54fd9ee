import { describe, expect, it } from 'vitest';
import type { Facts, Past } from '../../src/analyze/facts.js';
import { readListeners } from '../../src/analyze/listeners.js';
import { DEFAULT_THRESHOLDS } from '../../src/analyze/thresholds.js';
import { judge } from '../../src/analyze/verdict.js';
import { ownAdvice } from '../../src/model/findings.js';
import type { Listener, ListenerWindow } from '../../src/model/listener.js';
import { connections, millis, perSecond, segments } from '../../src/model/units.js';
import { buildTable, listen, type RowSpec, waiting } from '../support/table-builder.js';

const OWNERS = [{ pid: 812, fd: 6, name: 'nginx' }];

const listenerOf = (rows: readonly RowSpec[]): Listener =>
  readListeners(buildTable(rows), { netns: 'ns', connectionsAsked: true, synRecvAsked: true })[0] as Listener;

/** A listener of 10 places with this queue; each of `waits` is a connection that has waited so long. */
const queue = (length: number, backlog = 9, waits: readonly number[] = []): Listener =>
  listenerOf([
    listen('0.0.0.0:443', [length, backlog], { inode: 7 }, { owners: OWNERS }),
    ...waits.map((ms, n) => waiting('10.0.0.1:443', `10.0.0.9:${n + 1}`, ms)),
  ]);

const windowOf = (rest: Partial<ListenerWindow> = {}): ListenerWindow => ({
  windowMs: millis(1000),
  ageMs: millis(9000),
  peak: connections(0),
  peakAt: 0,
  recentOverflows: [false],
  history: [],
  ...rest,
});

const pastOf = (rest: Partial<Past> = {}): Past => ({
  criticalMs: millis(0),
  busyMs: millis(0),
  accepts: false,
  stalledWindows: 0,
  recentPeak: { length: 0, agoMs: millis(0), lastedMs: millis(0) },
  shortBursts: 0,
  ...rest,
});

function say(listener: Listener, rest: Partial<Facts> = {}) {
  const { verdict, findings } = judge({
    listener,
    thresholds: DEFAULT_THRESHOLDS,
    oneLook: true,
    sysctls: { somaxconn: 4096, tcpSyncookies: 1 },
    ...rest,
  });
  return { verdict, findings, texts: findings.map(({ severity, message }) => `${severity}: ${message}`) };
}

const watched = (past: Partial<Past> = {}, window: Partial<ListenerWindow> = {}): Partial<Facts> => ({
  oneLook: false,
  past: pastOf(past),
  window: windowOf(window),
});

describe('the accept queue', () => {
  it.each([
    [6, 'ok', []],
    [7, 'filling', ['warning: accept queue at 70%: 7 of 10 places taken']],
    [9, 'filling', ['critical: accept queue at 90%: 9 of 10 places taken']],
    [10, 'full', ['critical: accept queue full: 10 connections of backlog 9']],
    [40, 'full', ['critical: accept queue full: 40 connections of backlog 9']],
  ])('in one look, %i of 10', (length, verdict, texts) => {
    expect(say(queue(length))).toMatchObject({ verdict, texts });
  });

  it('is critical at 90 % only once that has lasted 1 s, where there are several looks', () => {
    expect(say(queue(9), watched({ criticalMs: millis(999) })).findings[0]?.severity).toBe('warning');
    expect(say(queue(9), watched({ criticalMs: millis(1000) })).findings[0]?.severity).toBe('critical');
    expect(say(queue(10), watched()).findings[0]?.severity).toBe('warning');
  });

  it.each([
    [1, 0, 'full'],
    [0, 0, 'ok'],
    [2, 2, 'ok'],
    [3, 2, 'full'],
    [3, 3, 'filling'],
  ])('of less than 4 places counts only when full: %i of backlog %i', (length, backlog, verdict) => {
    expect(say(queue(length, backlog)).verdict).toBe(verdict);
  });

  it('goes by the threshold of its port', () => {
    const thresholds = { ...DEFAULT_THRESHOLDS, warnFill: 0.2, criticalFill: 0.3 } as Facts['thresholds'];
    expect(say(queue(2), { thresholds }).texts).toEqual([
      'warning: accept queue at 20%: 2 of 10 places taken',
    ]);
  });

  it('is critical when a connection has waited 1 s, and says so once', () => {
    expect(say(queue(8, 9, [1000]), watched()).texts).toEqual([
      'critical: accept queue at 80%: 8 of 10 places taken',
    ]);
    expect(say(queue(1, 9, [1000]), watched())).toMatchObject({
      verdict: 'filling',
      texts: ['critical: a connection has waited 1.0 s for accept()'],
    });
    expect(say(queue(1, 9, [999]), watched()).verdict).toBe('ok');
  });

  it('brings its evidence: numbers with a unit and a phrase', () => {
    const gone = waiting('10.0.0.1:443', '10.0.0.9:99', 7, { state: 'close-wait' });
    const [full] = say(
      listenerOf([
        listen('0.0.0.0:443', [10, 9], { inode: 7 }),
        waiting('10.0.0.1:443', '10.0.0.9:1', 4100),
        gone,
      ]),
    ).findings;
    expect(full?.evidence).toEqual([
      {
        metric: 'accept_queue.length',
        value: 10,
        unit: 'connections',
        text: '10 connections in the accept queue: backlog 9, so it holds 10 (100%)',
      },
      { metric: 'waiting.oldest_ms', value: 4100, unit: 'ms', text: 'the oldest has waited 4.1 s' },
      {
        metric: 'waiting.abandoned',
        value: 1,
        unit: 'connections',
        text: '1 client closed and still holds a place',
      },
    ]);
  });

  it('of a Unix listener: nothing is dropped, connect() blocks', () => {
    const unix = listenerOf([
      { protocol: 'unix', state: 'listen', local: '/run/a', queues: [3, 2], owners: OWNERS },
    ]);
    expect(say(unix)).toMatchObject({
      verdict: 'full',
      texts: [
        'critical: accept queue full: 3 connections of backlog 2; connect() blocks, or fails with EAGAIN',
      ],
      findings: [{ rule: 'unix_queue_full' }],
    });
  });

  it('without a known limit is not judged full', () => {
    const listener = listenerOf([listen('*:80', [3, 0], {}, { flags: ['limitUnknown'] })]);
    expect(say(listener)).toMatchObject({
      verdict: 'unknown_limit',
      texts: ['info: the limit of the accept queue is not known: the source does not show it'],
    });
  });
});

describe('overflow', () => {
  it('in this window is a warning, in two of the last three critical', () => {
    const once = watched({}, { overflowsDelta: segments(3), recentOverflows: [false, false, true] });
    expect(say(queue(0), once)).toMatchObject({
      verdict: 'overflowing',
      texts: ['warning: accept queue overflowed since the last look: 3 segments dropped in 1.0 s'],
    });
    const twice = watched({}, { overflowsDelta: segments(0), recentOverflows: [true, true, false] });
    expect(say(queue(0), twice).texts).toEqual([
      'critical: accept queue overflowed in 2 of the last 3 looks',
    ]);
  });

  it('is not said where it cannot be told whose it was', () => {
    const { texts, verdict } = say(queue(0), {
      ...watched({}, { droppedDelta: segments(2) }),
      counters: { overflows: 5, listenDrops: 5 },
    });
    expect(verdict).toBe('burst');
    expect(texts).toEqual([
      'warning: this listener dropped 2 segments in 1.0 s: some may be overflows of its accept queue',
    ]);
  });
});

describe('dropped segments', () => {
  const dropped = (delta: number, counters: Facts['counters'], overflows = 0) =>
    say(queue(0), {
      ...watched({}, { droppedDelta: segments(delta), overflowsDelta: segments(overflows) }),
      counters,
    });

  it('that the namespace does not count as lost are only a note', () => {
    expect(dropped(2, { overflows: 0, listenDrops: 0 })).toMatchObject({
      verdict: 'ok',
      texts: [
        'info: this listener dropped 2 segments in 1.0 s: none that the namespace counts as lost (a reset during the handshake, deferred accept, duplicates)',
      ],
    });
  });

  it('of another kind than overflows are a warning', () => {
    expect(dropped(2, { overflows: 0, listenDrops: 2 }).texts).toEqual([
      'warning: this listener dropped 2 segments in 1.0 s: no overflow, but a full SYN queue without cookies, an ICMP error or a lack of memory',
    ]);
  });

  it('without counters have no known reason', () => {
    expect(dropped(1, undefined).texts).toEqual([
      'warning: this listener dropped 1 segment in 1.0 s: why is not known without the counters',
    ]);
  });

  it('that overflows explain, one or two for each, are not said again', () => {
    const rules = (delta: number) =>
      dropped(delta, { overflows: 3, listenDrops: 3 }, 3).findings.map(({ rule }) => rule);
    expect(rules(6)).toEqual(['accept_queue_overflow']);
    expect(rules(7)).toContain('dropped_segments');
  });
});

describe('the acceptor', () => {
  it('has stopped only when that was proved for 2 s in several windows', () => {
    const stalled = (ms: number, windows: number) =>
      say(queue(3), watched({ stalledWindows: windows }, { stalledMs: millis(ms) })).verdict;
    expect(stalled(1999, 5)).toBe('ok');
    expect(stalled(9000, 1)).toBe('ok');
    expect(stalled(2000, 2)).toBe('stopped_acceptor');
    expect(say(queue(3), watched({ stalledWindows: 2 }, { stalledMs: millis(4100) })).texts).toEqual([
      'critical: nothing was accepted for 4.1 s: 3 connections in the accept queue',
    ]);
  });

  it('is slow when it accepts and the queue is never seen empty', () => {
    const slow = (past: Partial<Past>, oldest = 500) =>
      say(queue(3, 9, [oldest]), watched({ accepts: true, busyMs: millis(3000), ...past }));
    expect(slow({})).toMatchObject({
      verdict: 'slow_acceptor',
      texts: [
        'warning: slow acceptor: the accept queue was never seen empty for 3.0 s, the oldest connection waits 500 ms',
      ],
    });
    expect(slow({ accepts: false }).verdict).toBe('ok');
    expect(slow({ busyMs: millis(2999) }).verdict).toBe('ok');
    expect(slow({}, 499).verdict).toBe('ok');
  });

  it('marks the rate of accepts as an estimate', () => {
    const window = { acceptsPerSecond: perSecond(12), rateBasis: 'lower_bound' as const };
    const { findings } = say(queue(3, 9, [600]), watched({ accepts: true, busyMs: millis(5000) }, window));
    expect(findings[0]?.evidence.map(({ text }) => text)).toContain(
      'at least 12 connections accepted per second (estimate)',
    );
  });

  it('a burst is over: high for a moment, low now', () => {
    const burst = (length: number, peak: number, lastedMs = 3000) =>
      say(
        queue(length),
        watched({ recentPeak: { length: peak, agoMs: millis(4000), lastedMs: millis(lastedMs) } }),
      );
    expect(burst(0, 9)).toMatchObject({
      verdict: 'burst',
      texts: ['info: burst: 9 of 10 places taken 4.0 s ago, 0 now'],
    });
    expect(burst(0, 9, 3001).verdict).toBe('ok');
    expect(burst(0, 6).verdict).toBe('ok');
    expect(burst(4, 9).verdict).toBe('ok');
  });

  it('a backlog is too small when it is full again and again and emptied at once', () => {
    const small = (length: number, bursts: number, waits: readonly number[] = []) =>
      say(queue(length, 9, waits), watched({ shortBursts: bursts }));
    expect(small(0, 2)).toMatchObject({
      verdict: 'small_backlog',
      texts: [
        'warning: backlog too small for its bursts: full or overflowing 2 times in the last 60 s, and emptied at once',
      ],
    });
    expect(small(0, 1).verdict).toBe('ok');
    expect(small(1, 2, [300]).verdict).toBe('ok');
    expect(small(10, 2).verdict).toBe('full');
  });
});

describe('the SYN queue', () => {
  const withRequests = (requests: number, backlog = 4, members = 1) =>
    listenerOf([
      ...Array.from({ length: members }, (_, n) =>
        listen('0.0.0.0:443', [0, backlog], { inode: 7 + n }, { owners: OWNERS }),
      ),
      ...Array.from({ length: requests }, (_, n) => ({
        state: 'syn-recv' as const,
        local: '10.0.0.1:443',
        remote: `10.0.0.9:${n + 1}`,
        columns: { inode: 0, timerRetransmits: n === 0 ? 1 : 0 },
      })),
    ]);

  it('is full beyond the backlog', () => {
    expect(say(withRequests(4)).verdict).toBe('ok');
    expect(say(withRequests(5))).toMatchObject({
      verdict: 'syn_queue_full',
      texts: ['warning: SYN queue full: 5 requests of 4, further SYNs are answered with SYN cookies'],
    });
  });

  it('says what becomes of further SYNs', () => {
    expect(say(withRequests(5), { sysctls: { tcpSyncookies: 0 } }).texts).toEqual([
      'critical: SYN queue full: 5 requests of 4, and without SYN cookies further SYNs are dropped',
    ]);
    expect(say(withRequests(5), { sysctls: {} }).texts).toEqual([
      'warning: SYN queue full: 5 requests of 4, whether SYN cookies are sent is not known',
    ]);
  });

  it('of a group is full where the requests are more than all members hold', () => {
    expect(say(withRequests(8, 4, 2)).verdict).toBe('ok');
    expect(say(withRequests(9, 4, 2)).verdict).toBe('syn_queue_full');
  });
});

describe('what explains what at one listener', () => {
  const stopped = watched({ stalledWindows: 3 }, { stalledMs: millis(4000) });
  const saidWhy = (open: number) =>
    say(queue(10, 9, [4000]), {
      ...stopped,
      descriptors: new Map([[812, { open, limit: 64 }]]),
    }).findings.map(
      (finding) => `${finding.rule} < ${finding.causedBy ?? (ownAdvice(finding) ? 'mend it' : '')}`,
    );

  it('is told behind its cause, without advice of its own', () => {
    expect(saidWhy(64)).toEqual([
      'fd_limit < mend it',
      'stopped_acceptor < fd_limit',
      'accept_queue_full < fd_limit',
    ]);
  });

  it('is the next cause where that one is not there', () => {
    expect(saidWhy(10)).toEqual(['stopped_acceptor < mend it', 'accept_queue_full < stopped_acceptor']);
    const alone = say(queue(10)).findings;
    expect(alone.map(({ causedBy }) => causedBy)).toEqual([undefined]);
    expect(alone.map(ownAdvice)).toEqual([expect.stringContaining('accept faster')]);
  });
});

describe('the limit of descriptors', () => {
  const at = (open: number, length = 5) =>
    say(queue(length), { descriptors: new Map([[812, { open, limit: 1024 }]]) });

  it('is said with the process, when the queue is not empty', () => {
    expect(at(1024)).toMatchObject({
      verdict: 'fd_limit',
      texts: [
        'critical: nginx/812 has 1,024 of 1,024 descriptors open, and 5 connections in the accept queue',
      ],
    });
    expect(at(1022).verdict).toBe('fd_limit');
    expect(at(1021).verdict).toBe('ok');
    expect(at(1024, 0).verdict).toBe('ok');
  });

  it('comes before a full queue', () => {
    expect(at(1024, 10).findings.map(({ rule }) => rule)).toEqual(['fd_limit', 'accept_queue_full']);
  });
});

describe('advice names the owner and the real knob', () => {
  const advice = (length: number, backlog: number, sysctls: Facts['sysctls'], rest: Partial<Facts> = {}) =>
    say(queue(length, backlog), { sysctls, ...rest }).findings[0]?.advice;

  it('the backlog argument, where somaxconn allows more', () => {
    expect(advice(10, 9, { somaxconn: 4096 })).toBe(
      'let nginx/812 accept faster: more worker threads or processes, no blocking calls in its event loop; for short bursts, raise the backlog argument of listen() in nginx/812 (now 9; net.core.somaxconn of its network namespace allows 4,096), then let it listen() again',
    );
  });

  it('both, where the backlog equals somaxconn', () => {
    expect(advice(129, 128, { somaxconn: 128 })).toContain(
      'the backlog equals net.core.somaxconn of its network namespace (128): raise both it and the backlog argument of listen() in nginx/812, then let it listen() again',
    );
  });

  it('somaxconn that was lowered since, and one that is unknown', () => {
    expect(advice(129, 128, { somaxconn: 64 })).toContain('was lowered to 64');
    expect(advice(129, 128, undefined)).toContain(
      'raise the backlog argument of listen() in nginx/812, and net.core.somaxconn of its network namespace where that is lower',
    );
  });

  it('what holds a stopped acceptor, and the limit of files', () => {
    const stopped = watched({ stalledWindows: 2 }, { stalledMs: millis(4100) });
    expect(advice(3, 9, undefined, stopped)).toContain('see what holds nginx/812: a blocked event loop');
    expect(advice(3, 9, undefined, { descriptors: new Map([[812, { open: 64, limit: 64 }]]) })).toContain(
      'LimitNOFILE=',
    );
  });

  it('calls an owner that is not known "its process"', () => {
    const listener = listenerOf([listen('*:80', [10, 9])]);
    expect(say(listener).findings[0]?.advice).toContain('let its process accept faster');
  });
});

it('the worst comes first, and the verdict is the worst of all', () => {
  const { verdict, findings } = say(queue(10, 9, [4000]), {
    ...watched(
      { stalledWindows: 3, recentPeak: { length: 10, agoMs: millis(0), lastedMs: millis(0) } },
      { stalledMs: millis(4000), overflowsDelta: segments(1), recentOverflows: [true] },
    ),
  });
  expect(verdict).toBe('overflowing');
  expect(findings.map(({ severity, rule }) => `${severity} ${rule}`)).toEqual([
    'critical stopped_acceptor',
    'critical accept_queue_full',
    'warning accept_queue_overflow',
  ]);
  expect(new Set(findings.map(({ subject }) => subject))).toEqual(new Set(['ns:7']));
});
