import { describe, expect, it } from 'vitest';
import { tooShortGap } from '../../src/analyze/diagnose/too-short.js';
import { diagnose } from '../../src/analyze/diagnose.js';
import { parseFilter } from '../../src/analyze/filter.js';
import { synTimeout } from '../../src/analyze/syn-schedule.js';
import { DEFAULT_THRESHOLDS } from '../../src/analyze/thresholds.js';
import type { Counters, TableObservation } from '../../src/model/observation.js';
import type { StackFacts } from '../../src/model/stack-facts.js';
import { millis } from '../../src/model/units.js';
import { type Beside, DiagnosisWatch } from '../../src/watch/diagnosis.js';
import { listen, look, type RowSpec, waiting } from '../support/table-builder.js';

const JAVA = { pid: 812, fd: 9, name: 'java' };
const NGINX = { pid: 90, fd: 6, name: 'nginx' };
const REMOTE = '10.0.0.9:3306';
const LISTENER = listen('10.0.0.1:443', [0, 128], { inode: 7 }, { owners: [NGINX] });

const STACK: StackFacts = {
  timeWait: 10,
  maxTimeWait: 1000,
  orphans: 0,
  maxOrphans: 1000,
  memoryPages: 100,
  memoryLimits: [5000, 10_000, 20_000],
  portRange: [40_000, 40_099],
  reservedPorts: 0,
  softnetDropped: 0,
  settings: {
    'net.ipv4.ip_local_port_range': '40000 40099',
    'net.ipv4.tcp_tw_reuse': '2',
    'net.ipv4.tcp_syn_retries': '6',
    'net.ipv4.tcp_syn_linear_timeouts': '4',
    'net.ipv4.tcp_timestamps': '1',
  },
};

interface Look {
  readonly rows?: readonly RowSpec[];
  readonly counters?: Counters;
  readonly stack?: Partial<StackFacts> | null;
}

/** What is found in looks half a second apart. */
function judge(looks: readonly Look[], beside: Beside = { descriptors: [] }, filter?: string) {
  const watch = new DiagnosisWatch(
    { thresholds: DEFAULT_THRESHOLDS },
    filter === undefined ? undefined : parseFilter(filter),
  );
  for (const [index, { rows = [], counters = {}, stack }] of looks.entries()) {
    const rest: Partial<TableObservation> = {
      counters,
      ...(stack !== null && { stack: { ...STACK, ...stack } }),
    };
    watch.take(look(1000 + index * 500, [LISTENER, ...rows], rest));
  }
  const facts = watch.facts(beside);
  if (facts === undefined) throw new Error('no look');
  return diagnose(facts);
}

const texts = (...args: Parameters<typeof judge>) =>
  judge(...args).findings.map(({ rule, severity }) => `${severity} ${rule}`);
const times = (count: number, make: (index: number) => Look): Look[] =>
  Array.from({ length: count }, (_, index) => make(index));
const many = (count: number, make: (n: number) => RowSpec): RowSpec[] =>
  Array.from({ length: count }, (_, n) => make(n));

/** Connection `n` of java to the database. */
const out = (n: number, rest: RowSpec = {}): RowSpec => ({
  local: `10.0.0.1:${40_000 + n}`,
  remote: REMOTE,
  cookie: n + 1,
  owners: [JAVA],
  ...rest,
  columns: {
    inode: 100 + n,
    lastSentMs: 520,
    lastReceivedMs: 500,
    lastAckMs: 500,
    rtoMs: 200,
    ...rest.columns,
  },
});

describe('nothing', () => {
  it('is said with how much was looked at', () => {
    const { findings, lookedAt, gaps, settings } = judge(
      times(5, () => ({ rows: [out(1)], counters: { A: 1 } })),
    );
    expect(findings).toEqual([]);
    expect(gaps).toEqual([]);
    expect(settings).toEqual({});
    expect(lookedAt).toMatchObject({ looks: 5, listeners: 1, connections: 1, processes: 2, counters: 1 });
    const datagram: RowSpec = { protocol: 'udp', state: 'unconnected', local: '0.0.0.0:53' };
    const unix: RowSpec = { protocol: 'unix', local: '/run/a', remote: '/run/b' };
    const others = (filter?: string) =>
      judge(
        times(3, () => ({ rows: [datagram, unix, unix] })),
        undefined,
        filter,
      ).lookedAt;
    expect(others()).toMatchObject({ connections: 0, udp: 1, unix: 2 });
    expect(others('port:53')).toMatchObject({ listeners: 0, udp: 1, unix: 0 });
  });

  it('says what could not be looked at, and why', () => {
    const { gaps, lookedAt } = judge([{ stack: null }], {});
    expect(gaps.map(({ what, why }) => `${what}: ${why}`)).toEqual([
      'not judged with 1 look: app_not_reading, peer_not_reading, pool_exhausted, pool_waiting, pool_oversized, close_wait_leak, retry_storm',
      expect.stringMatching(/^not looked at: connects that nobody answers, .*: there was one look only$/),
      expect.stringMatching(/^not looked at: open descriptors .*: descriptors of processes are not known/),
      expect.stringMatching(/^not looked at: connects that are refused: the counters/),
      expect.stringMatching(/^not looked at: local ports in use .*: the settings of the host are not known/),
      expect.stringMatching(/^not looked at: memory of TCP buffers .*: sockstat is not known/),
    ]);
    expect(lookedAt.rules).toBeLessThan(judge(times(2, () => ({}))).lookedAt.rules);
  });
});

describe('a watch that is too short', () => {
  const looks = (count: number) => times(count, () => ({ rows: [out(1)], counters: { A: 1 } }));

  it('says which rules it could not judge, in one line', () => {
    const { gaps, isPartial } = judge(looks(2));
    expect(gaps).toEqual([
      {
        what: 'not judged with 2 looks',
        why: expect.stringMatching(/^app_not_reading, .*, close_wait_leak, retry_storm$/),
      },
    ]);
    expect(isPartial).toBe(true);
    const facts = { looks: 4, watchedMs: millis(300) };
    expect(tooShortGap(facts)).toEqual([
      {
        what: 'not judged with 4 looks in 300 ms',
        why: 'app_not_reading, peer_not_reading, pool_exhausted, pool_waiting, pool_oversized',
      },
    ]);
  });

  it('is none with three looks in a second', () => {
    const { gaps, isPartial } = judge(looks(3));
    expect([gaps, isPartial]).toEqual([[], undefined]);
  });
});

describe('sockets whose processes are not known', () => {
  const { owners: _, ...hidden } = out(1);
  const { owners: __, ...hiddenListener } = listen('10.0.0.1:80', [0, 9], { inode: 8 });
  const gone: RowSpec = { state: 'time-wait', local: '10.0.0.1:40009', remote: REMOTE };
  const gapsWith = (rows: readonly RowSpec[]) =>
    judge(times(5, () => ({ rows, counters: { A: 1 } }))).gaps.map(({ what, why }) => `${what}: ${why}`);

  it('are told with the rules that look at processes', () => {
    const rules =
      'pool_exhausted, pool_waiting, pool_leak, pool_oversized, pool_uneven, reconnect_wave, close_wait_leak, fd_limit, threads_blocked, threads_busy, connection_limit';
    expect(gapsWith([hidden, hiddenListener, gone])).toEqual([
      `${rules}: not judged: the processes of 1 connection and 1 listener are not known`,
      expect.stringMatching(
        /^not looked at: open descriptors .*: the processes behind the sockets are not known/,
      ),
    ]);
    // Of others they are known.
    expect(gapsWith([hidden, out(2)])).toEqual([
      `${rules}: not judged: the processes of 1 connection are not known`,
    ]);
    // One that is being opened has its process already.
    expect(gapsWith([{ ...hidden, state: 'syn-sent' }, out(2)])[0]).toContain('of 1 connection are');
  });

  it('are none where nobody holds them', () => {
    expect(gapsWith([gone])).toEqual([]);
    expect(gapsWith([{ ...out(1), owners: [] }])).toEqual([]);
    expect(gapsWith([waiting('10.0.0.1:443', '10.0.0.5:5000', 300, { cookie: 500 })])).toEqual([]);
  });
});

describe('a filter', () => {
  const rows = [
    { ...out(1), queues: [60_000, 0] as const },
    ...many(2, (n) => ({ protocol: 'udp' as const, state: 'close' as const, local: `0.0.0.0:${5353 + n}` })),
  ];
  const looks = times(6, (n) => ({
    rows: rows.map((row, index) => ({ ...row, columns: { ...row.columns, inode: 300 + index, drops: n } })),
    counters: {
      ActiveOpens: n * 20,
      AttemptFails: n * 20,
      TCPReqQFullDrop: n,
      TCPTimeWaitOverflow: n,
    },
    stack: { orphans: 900, memoryPages: 11_000 },
  }));
  const OF_ALL = [
    'connect_refused',
    'memory_pressure',
    'orphans',
    'retry_storm',
    'syn_queue_full',
    'time_wait_overflow',
  ];
  const found = (filter?: string) =>
    [...new Set(judge(looks, undefined, filter).findings.map(({ rule }) => rule))].sort();

  it('keeps out what only counters of the namespace and numbers of the host tell of, and says so', () => {
    expect(found()).toEqual(['app_not_reading', ...OF_ALL, 'udp_drops'].sort());
    expect(found('port:3306')).toEqual(['app_not_reading']);
    expect(found('port:9999')).toEqual([]);
    expect(judge(looks, undefined, 'port:9999').gaps).toContainEqual({
      what: 'counters of the namespace',
      why: 'not split by port or process: what only they tell of is left out',
    });
    expect(judge(looks).gaps.map(({ what }) => what)).not.toContain('counters of the namespace');
  });

  it('keeps UDP sockets that match', () => {
    const { findings } = judge(looks, undefined, 'port:5353');
    expect(findings.map(({ message }) => message)).toEqual([expect.stringMatching(/^UDP socket .*:5353 /)]);
  });
});

describe('fd_limit', () => {
  const owner = JAVA;
  it.each([
    [
      'at the limit',
      1024,
      1024,
      ['critical java/812 has 1,024 of 1,024 descriptors open: it can open nothing more'],
    ],
    [
      'one below it',
      1023,
      1024,
      ['warning java/812 has 1,023 of 1,024 descriptors open: it can open 1 more'],
    ],
    ['near a small one', 18, 20, ['warning java/812 has 18 of 20 descriptors open: it can open 2 more']],
    ['far from it', 500, 1024, []],
    ['lowered by a sandbox', 6, 0, []],
    ['lowered to what is open', 6, 6, []],
    ['lowered below what is open', 32, 32, [], 28],
    ['lowered below what is open, as recordings had it', 60, 32, []],
    [
      'at the limit, with one inherited above it',
      20,
      20,
      ['critical java/812 has 20 of 20 descriptors open: it can open nothing more'],
      1,
    ],
  ])('%s', (_, open, limit, expected, above = 0) => {
    const { findings } = judge(
      times(2, () => ({})),
      { descriptors: [{ owner, open, limit, above }] },
    );
    expect(findings.map(({ severity, message }) => `${severity} ${message}`)).toEqual(expected);
  });

  it('is the cause of a full queue whose owner is at it, and told once', () => {
    const full = [
      listen('10.0.0.1:80', [6, 5], { inode: 8 }, { owners: [NGINX] }),
      ...many(6, (n) => waiting('10.0.0.1:80', `10.0.0.5:${5000 + n}`, 3000, { cookie: 500 + n })),
    ];
    const files = { open: 1024, limit: 1024 };
    const watch = new DiagnosisWatch({ thresholds: DEFAULT_THRESHOLDS });
    for (let at = 0; at < 4; at++)
      watch.take(
        look(at * 500, full, { descriptors: new Map([[NGINX.pid, files]]), counters: {}, stack: STACK }),
      );
    const facts = watch.facts({ descriptors: [{ owner: NGINX, ...files }] });
    const { findings } = diagnose(facts as NonNullable<typeof facts>);
    expect(findings.filter(({ rule }) => rule === 'fd_limit')).toHaveLength(1);
    expect(findings[0]).toMatchObject({ rule: 'fd_limit', about: { owner: NGINX } });
    expect(findings.find(({ rule }) => rule === 'accept_queue_full')).toMatchObject({ causedBy: 'fd_limit' });
  });
});

describe('ephemeral_ports', () => {
  const timeWait = (n: number, ageMs: number, rest: RowSpec = {}): RowSpec => ({
    state: 'time-wait',
    local: `10.0.0.1:${40_000 + n}`,
    remote: REMOTE,
    columns: { inode: 0, timerMs: 60_000 - ageMs },
    ...rest,
  });
  const ports = (make: (n: number) => RowSpec, stack: Partial<StackFacts> = {}) =>
    texts(times(3, () => ({ rows: many(96, make), stack }))).filter((text) => text.includes('ports'));
  const settings = { ...STACK.settings, 'net.ipv4.tcp_tw_reuse': '1' };

  it.each([
    ['nearly all to one destination', (n: number) => timeWait(n, 5000), {}, ['critical ephemeral_ports']],
    [
      'the same spread over two',
      (n: number) => timeWait(n, 5000, { remote: `10.0.0.${8 + (n % 2)}:3306` }),
      {},
      [],
    ],
    [
      'of a server: the listener has but one port',
      (n: number) => timeWait(n, 5000, { local: '10.0.0.1:443', remote: `10.0.0.9:${40_000 + n}` }),
      {},
      [],
    ],
    ['free to be taken again', (n: number) => timeWait(n, 5000), { settings }, []],
    ['too young for that', (n: number) => timeWait(n, 500), { settings }, ['critical ephemeral_ports']],
    ['of a wide range', (n: number) => timeWait(n, 5000), { portRange: [32_768, 60_999] as const }, []],
    [
      'of a range whose rest is reserved',
      (n: number) => timeWait(n, 5000),
      { portRange: [40_000, 41_099] as const, reservedPorts: 1000 },
      ['critical ephemeral_ports'],
    ],
  ])('%s', (_, make, stack, expected) => {
    expect(ports(make, stack)).toEqual(expected);
  });

  it('says what the range allows, and whose', () => {
    const [finding] = judge(times(3, () => ({ rows: many(90, (n) => out(n)) }))).findings;
    expect(finding).toMatchObject({
      rule: 'ephemeral_ports',
      severity: 'warning',
      subject: 'java/812 10.0.0.1:* > 10.0.0.9:3306',
      message: '90 of 100 local ports from 10.0.0.1 to 10.0.0.9:3306 are in use (90%)',
    });
    expect(finding?.evidence.map(({ text }) => text)).toEqual([
      '90 open, 0 in TIME-WAIT; java/812 holds open ones',
      expect.stringMatching(/^with TIME-WAIT of 60 s on this side, 1\.7 new connections per second/),
      expect.stringMatching(/^tcp_tw_reuse is 2/),
      expect.stringMatching(/^90 different ports/),
    ]);
  });

  it('does not contradict itself where tcp_tw_reuse is in force', () => {
    const [finding] = judge(
      times(3, () => ({ rows: many(96, (n) => timeWait(n, 500)), stack: { settings } })),
    ).findings;
    expect(finding?.evidence.map(({ text }) => text).slice(0, 3)).toEqual([
      '0 open, 96 in TIME-WAIT: this side closed first',
      'with tcp_tw_reuse, which takes ports again after 1 s of TIME-WAIT, 100 new connections per second to this destination are all that the range allows',
      'tcp_tw_reuse is in force: 0 ports in TIME-WAIT for more than 1 s may be taken again',
    ]);
  });
});

describe('buffers', () => {
  const unread = (bytes: number, received: number): RowSpec =>
    out(1, { queues: [bytes, 0], columns: { bytesReceived: received } });
  it.each([
    ['nothing is read', times(6, () => ({ rows: [unread(60_000, 90_000)] })), ['warning app_not_reading']],
    [
      'more comes, and nothing is read',
      times(6, (n) => ({ rows: [unread(100 + n * 10, 900 + n * 10)] })),
      ['warning app_not_reading'],
    ],
    ['a slow reader', times(6, (n) => ({ rows: [unread(60_000, 90_000 + n * 100)] })), []],
    ['a few bytes of a farewell', times(6, () => ({ rows: [unread(24, 900)] })), ['info app_not_reading']],
    [
      'for a moment',
      [...times(2, () => ({ rows: [unread(60_000, 90_000)] })), ...times(3, () => ({ rows: [out(1)] }))],
      [],
    ],
    [
      'not accepted yet',
      times(6, () => ({
        rows: [out(1, { local: '10.0.0.1:443', queues: [60_000, 0], owners: [], columns: { inode: 0 } })],
      })),
      [],
    ],
  ])('%s', (_, looks, expected) => {
    expect(texts(looks)).toEqual(expected);
  });

  it('speak of one byte, and of several', () => {
    const message = (bytes: number) =>
      judge(
        times(6, () => ({
          rows: [1, 2].map((n) => out(n, { queues: [bytes, 0], columns: { bytesReceived: 900 } })),
        })),
      ).findings[0]?.message;
    expect(message(1)).toMatch(/: 1 byte waits on the fullest$/);
    expect(message(2)).toMatch(/: 2 bytes wait on the fullest$/);
  });

  const unsent = (columns: RowSpec['columns'] = {}) =>
    out(1, {
      queues: [0, 50_000],
      columns: { bytesAcked: 1000, sendWindow: 0, timerKind: 4, timerRetransmits: 3, ...columns },
    });
  // Windows are known where any row has one.
  const other = out(2, { columns: { sendWindow: 65_536 } });
  const unsentTexts = (make: (n: number) => RowSpec) =>
    judge(times(6, (n) => ({ rows: [make(n), other] })))
      .findings.filter(({ rule }) => rule === 'peer_not_reading')
      .map(({ sure }) => sure);
  it('of a peer whose window is shut, and what only looks like it', () => {
    expect(unsentTexts(() => unsent())).toEqual(['certain']);
    // A persist timer alone is no zero window.
    expect(unsentTexts(() => unsent({ sendWindow: 30_000 }))).toEqual(['suspected']);
    expect(unsentTexts((n) => unsent({ bytesAcked: 1000 + n }))).toEqual([]);
    // The peer, or the way to it, is gone.
    expect(unsentTexts(() => unsent({ sendWindow: 30_000, timerKind: 0 }))).toEqual([]);
  });

  it('that a window held up for most of the time', () => {
    const limited = (share: number) =>
      texts(times(5, (n) => ({ rows: [out(1, { columns: { receiverLimitedMs: 10 + n * 500 * share } })] })));
    expect(limited(0.9)).toEqual(['info receive_window_limited']);
    expect(limited(0.1)).toEqual([]);
  });
});

describe('half-closed connections', () => {
  const finWait = (n: number, rest: RowSpec = {}) => out(n, { state: 'fin-wait-2', ...rest });
  it.each([
    [
      'grow, with their descriptor, while their peers work on answers',
      times(6, (n) => ({ rows: many(2 + n, (i) => finWait(i)) })),
      [],
    ],
    [
      'are probed by keep-alive, and nothing comes for half a minute',
      times(64, () => ({ rows: many(3, (i) => finWait(i, { columns: { bytesReceived: 10 } })) })),
      ['warning fin_wait_2'],
    ],
    [
      'get bytes now and then',
      times(64, (n) => ({
        rows: many(3, (i) => finWait(i, { columns: { bytesReceived: 10 + Math.floor(n / 20) } })),
      })),
      [],
    ],
    [
      'grow, and nobody holds them',
      times(6, (n) => ({ rows: many(2 + n, (i) => finWait(i, { owners: [], columns: { inode: 0 } })) })),
      [],
    ],
    ['others at each look', times(6, (n) => ({ rows: many(2, (i) => finWait(n * 10 + i)) })), []],
    [
      'are old',
      times(4, () => ({
        rows: many(3, (i) => finWait(i, { columns: { lastAckMs: 90_000, lastReceivedMs: 90_000 } })),
      })),
      ['warning fin_wait_2'],
    ],
    [
      'are two',
      times(4, () => ({
        rows: many(2, (i) => finWait(i, { columns: { lastAckMs: 90_000, lastReceivedMs: 90_000 } })),
      })),
      [],
    ],
    [
      'whose peers are gone',
      times(4, () => ({
        rows: many(4, (i) =>
          out(i, { state: 'last-ack', owners: [], columns: { inode: 0, timerKind: 0, timerRetransmits: 4 } }),
        ),
      })),
      ['info last_ack'],
    ],
  ])('%s', (_, looks, expected) => {
    expect(texts(looks).filter((text) => !text.includes('pool'))).toEqual(expected);
  });
});

describe('fin_wait_2', () => {
  /** Shut down for long; what was sent and received last. */
  const shut = (sent: number, received: number, rest: RowSpec = {}) =>
    times(4, () => ({
      rows: many(5, (i) =>
        out(i, {
          state: 'fin-wait-2',
          ...rest,
          ...(rest.remote && { remote: `${rest.remote}:${5000 + i}` }),
          columns: { lastSentMs: sent, lastReceivedMs: received, lastAckMs: 90_000, bytesReceived: 10 },
        }),
      ),
    }));
  const said = (looks: Look[]) =>
    judge(looks)
      .findings.filter(({ rule }) => rule === 'fin_wait_2')
      .map(({ severity, sure, message }) => `${severity} ${sure} ${message}`);

  it('is a suspicion where an answer may still come', () => {
    expect(said(shut(90_000, 90_010))).toEqual([
      'warning suspected java/812 has shut down 5 connections to 10.0.0.9:3306 that the peer does not close, or waits for answers to requests that it ended with shutdown(SHUT_WR)',
    ]);
  });

  it('is certain where the answer has come, and where this side was asked', () => {
    for (const sent of [90_000, 95_000])
      expect(said(shut(sent, 90_000))).toEqual([
        'warning certain java/812 has shut down 5 connections to 10.0.0.9:3306 that the peer does not close',
      ]);
    const inbound = { local: '10.0.0.1:443', remote: '203.0.113.9', owners: [NGINX] };
    expect(said(shut(90_000, 90_010, inbound))).toEqual([
      'warning certain nginx/90 has shut down 5 connections on 10.0.0.1:443 that the peer does not close',
    ]);
  });
});

describe('limits of the host', () => {
  const ends = (stack: Partial<StackFacts>, counters: Counters = {}) =>
    texts([
      { counters: Object.fromEntries(Object.keys(counters).map((name) => [name, 0])) },
      { stack, counters },
    ]);
  it.each([
    ['orphans near their limit', { orphans: 850 }, {}, ['warning orphans']],
    ['few orphans', { orphans: 85 }, {}, []],
    ['memory above pressure', { memoryPages: 11_000 }, {}, ['critical memory_pressure']],
    ['memory near it', { memoryPages: 8500 }, {}, ['warning memory_pressure']],
    ['a full receive buffer of one socket', { memoryPages: 900 }, { PruneCalled: 3 }, []],
    ['TIME-WAIT without room', {}, { TCPTimeWaitOverflow: 3 }, ['warning time_wait_overflow']],
    ['TIME-WAIT near its limit', { timeWait: 950 }, {}, ['info time_wait_overflow']],
    ['much TIME-WAIT, far from its limit', { timeWait: 800 }, {}, []],
  ])('%s', (_, stack, counters, expected) => {
    expect(ends(stack, counters)).toEqual(expected);
  });
});

describe('connects', () => {
  /** In SYN-SENT for `ageMs`. */
  const trying = (cookie: number, ageMs: number): RowSpec => {
    let retries = 0;
    while (synTimeout(retries + 1, 4) <= ageMs) retries++;
    return {
      state: 'syn-sent',
      local: `10.0.0.1:${40_000 + cookie}`,
      remote: REMOTE,
      cookie,
      owners: [JAVA],
      queues: [0, 1],
      columns: {
        inode: cookie,
        timerKind: 0,
        timerMs: synTimeout(retries + 1, 4) - ageMs,
        timerRetransmits: retries,
      },
    };
  };
  const retryTexts = (looks: readonly Look[]) => texts(looks).filter((text) => !text.includes('pool'));

  it('that nobody answers, with how long the kernel and the application try', () => {
    // Three at once, given up after 1.7 s, with the next ones at once.
    const looks = times(11, (n) => {
      const age = (n * 500) % 2000;
      const round = Math.floor((n * 500) / 2000);
      const counters = { ActiveOpens: n, AttemptFails: 0 };
      return { rows: many(3, (i) => trying(1 + round * 3 + i, age + 100)), counters };
    });
    const { findings } = judge(looks);
    const timeout = findings.find(({ rule }) => rule === 'connect_timeout');
    expect(timeout).toMatchObject({ severity: 'critical', about: { owner: JAVA } });
    expect(timeout?.evidence.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^3 in SYN-SENT now/),
      '6 connects given up after 1.6 s to 2.1 s: the timeout of the application; the kernel itself would try for 2.2 min',
      expect.stringMatching(/^at least \d+ new attempts?: /),
      'no packet was dropped because a backlog of this host was full',
    ]);
  });

  it('of a client whose first attempt had ended before it was found are told once', () => {
    const timeouts = (...owners: (typeof JAVA)[]) =>
      judge(
        times(8, (n) => ({
          rows: [
            ...owners.map((owner, at) => ({ ...trying(20 + at, 1200 + n * 500), owners: [owner] })),
            ...(n < 3 ? [{ ...trying(30, 1200 + n * 500), owners: [] }] : []),
          ],
        })),
      )
        .findings.filter(({ rule }) => rule === 'connect_timeout')
        .map(({ message }) => message);
    expect(timeouts(JAVA)).toEqual(['nobody answered 2 connects of java/812 to 10.0.0.9:3306']);
    // Of two it may be either's.
    expect(timeouts(JAVA, NGINX)).toHaveLength(3);
  });

  it('into a full table of connection tracking', () => {
    const advice = (count: number) =>
      judge(
        times(4, (n) => ({ rows: [trying(5, 1200 + n * 500)], stack: { conntrack: { count, max: 1000 } } })),
      ).findings.find(({ rule }) => rule === 'connect_timeout')?.advice;
    expect(advice(1000)).toMatch(/^connection tracking of this host is full.*nf_conntrack_max/);
    expect(advice(500)).toMatch(/^see whether 10\.0\.0\.9:3306 is up/);
  });

  it('that were slow, and were answered in the end, are none', () => {
    const looks = times(6, (n) => ({ rows: [n < 4 ? trying(5, 200 + n * 500) : out(4)] }));
    expect(retryTexts(looks)).toEqual([]);
  });

  it('of a long way are none', () => {
    expect(retryTexts(times(6, (n) => ({ rows: [trying(50 + n, 300)] })))).toEqual([]);
  });

  const failingLooks = (perLook: (n: number) => number, more: Counters = {}) => {
    let fails = 0;
    return times(11, (n) => {
      fails += n === 0 ? 0 : perLook(n);
      return {
        counters: {
          ActiveOpens: fails + (more.succeeded ?? 1) * n,
          AttemptFails: fails,
          EmbryonicRsts: more.EmbryonicRsts === undefined ? 0 : fails,
          OutRsts: fails,
        },
      };
    });
  };
  const failing = (...args: Parameters<typeof failingLooks>) => retryTexts(failingLooks(...args));
  it.each([
    ['refused at a steady pace, many', () => 12, {}, ['warning connect_refused', 'warning retry_storm']],
    // Nobody saw those that succeeded.
    [
      'as many, half of which succeed',
      () => 12,
      { succeeded: 12 },
      ['warning connect_refused', 'info unseen_connections'],
    ],
    ['refused at the pace of several clients that wait', () => 5, {}, ['warning connect_refused']],
    [
      'refused, with back-off',
      (n: number) => (n <= 2 ? 8 : n === 5 ? 1 : 0),
      {},
      ['warning connect_refused'],
    ],
    [
      'refused, with a pause that grows by the same each time',
      (n: number) => [10, 4, 3, 3, 2, 2, 2, 2, 2, 2][n - 1] ?? 0,
      {},
      ['warning connect_refused'],
    ],
    [
      'refused at a pace that falls and stays high: other programs take the processor',
      (n: number) => (n <= 5 ? 90 : 30),
      {},
      ['warning connect_refused', 'warning retry_storm'],
    ],
    ['refused once', (n: number) => Number(n === 3), {}, ['info connect_refused']],
    ['reset by clients in SYN-RECV', () => 5, { EmbryonicRsts: 1 }, []],
  ])('%s', (_, perLook, more, expected) => {
    expect(failing(perLook, more)).toEqual(expected);
  });

  it('that are refused at a steady pace may be of one client or of several, and of a second address', () => {
    const paceOf = (succeeded: number) =>
      judge(failingLooks(() => 5, { succeeded }))
        .findings.find(({ rule }) => rule === 'connect_refused')
        ?.evidence.find(({ metric }) => metric === 'failed_per_second')?.text;
    expect(paceOf(0)).toBe(
      '50 of 50 connects failed (100%): 10 per second in the first half of the watch, 10 in the second; a steady pace: one client without back-off, or several',
    );
    expect(paceOf(5)).toMatch(/as many succeed: it looks as if a second address was tried/);
  });

  it('storm a listener whose queue is full of clients that are gone', () => {
    const queue = (gone: number): RowSpec[] => [
      listen('10.0.0.1:80', [10, 9], { inode: 8 }, { owners: [NGINX] }),
      ...many(10, (n) =>
        waiting('10.0.0.1:80', `10.0.0.5:${5000 + n}`, 3000, {
          cookie: 500 + n,
          state: n < gone ? 'close-wait' : 'established',
        }),
      ),
    ];
    const storms = (gone: number) =>
      texts(
        times(5, (n) => ({ rows: queue(gone), counters: { ListenOverflows: n * 10, ListenDrops: n * 10 } })),
      ).filter((text) => text.includes('storm'));
    expect(storms(8)).toEqual(['warning retry_storm']);
    expect(storms(1)).toEqual([]);
  });
});
