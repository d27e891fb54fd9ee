import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diagnose } from '../../src/analyze/diagnose.js';
import { judgePools } from '../../src/analyze/pools.js';
import { DEFAULT_THRESHOLDS } from '../../src/analyze/thresholds.js';
import { topPools } from '../../src/cli/pools-run.js';
import type { DiagnosisFacts } from '../../src/model/diagnosis.js';
import { parseIp } from '../../src/model/ip.js';
import { TIMER_KINDS } from '../../src/model/sockets.js';
import { diagnosisJson } from '../../src/render/diagnose/json.js';
import { diagnosisText } from '../../src/render/diagnose/text.js';
import { poolsJson } from '../../src/render/pools/json.js';
import { poolsTable } from '../../src/render/pools/table.js';
import { Pseudonyms } from '../../src/render/redact.js';
import { DiagnosisWatch } from '../../src/watch/diagnosis.js';
import { listen, look, type RowSpec, waiting } from '../support/table-builder.js';

/** What must not be seen: in every name, between whatever a name may hold. */
const SECRET = 'zQx';
const odd = fc.string({
  unit: fc.constantFrom(...'ab1-_.:/ ()[]"\\%$*+?^{}|,;=é'),
  maxLength: 5,
});
const anyName = fc.tuple(odd, odd).map(([before, after]) => `${before}${SECRET}${after}`);
/** No space or slash: a device may have any other byte. */
const anyDevice = fc
  .tuple(odd, odd)
  .map(([before, after]) => `${before}${SECRET}${after}`.replace(/[\s/:%\]]/g, '_').slice(0, 15));

interface Names {
  readonly first: string;
  readonly second: string;
  readonly client: string;
  readonly other: string;
  readonly path: string;
  readonly device: string;
  readonly host: string;
}
const anyNames: fc.Arbitrary<Names> = fc.record({
  first: anyName,
  second: anyName,
  client: anyName,
  other: anyName,
  path: anyName.map((name) => `/run/${name}`),
  device: anyDevice,
  host: anyName,
});

/** A host on which much is wrong: full queues, leaks, churn, connects without an answer, data that nobody reads. */
function looksOf({ first, second, client, other, path, device, host }: Names, at: number) {
  // The one that sentences name is not the one that stands first.
  const holders = [
    { pid: 20, fd: 3, name: first },
    { pid: 10, fd: 3, name: second },
  ];
  const owners = [{ pid: 30, fd: 4, name: client }];
  const others = [{ pid: 40, fd: 4, name: other }];
  const conn = (n: number, rest: RowSpec = {}): RowSpec => ({
    local: `203.0.113.1:${40_000 + n}`,
    remote: '203.0.113.9:3306',
    cookie: 1000 + n,
    owners,
    ...rest,
    columns: {
      inode: 500 + n,
      lastSentMs: 4000,
      lastReceivedMs: 4020,
      lastAckMs: 4000,
      bytesSent: 90,
      bytesReceived: 80,
      ...rest.columns,
    },
  });
  const rows: RowSpec[] = [
    listen('0.0.0.0:443', [9, 8], { inode: 1 }, { cookie: 1, owners: holders }),
    listen(path, [9, 8], { inode: 2 }, { protocol: 'unix', cookie: 2, owners: holders }),
    listen(`[fe80::7]%${device}:8443`, [9, 8], { inode: 3 }, { cookie: 3, owners: holders }),
    ...Array.from({ length: 9 }, (_, n) =>
      waiting('203.0.113.1:443', `203.0.113.77:${5000 + n}`, 60_000 + at, { cookie: 100 + n }),
    ),
    ...Array.from({ length: 6 }, (_, n) =>
      conn(n, { state: 'close-wait', queues: [100, 0], columns: { lastAckMs: 90_000 } }),
    ),
    ...Array.from({ length: 3 }, (_, n) => conn(20 + n, { queues: [5000, 0] })),
    ...Array.from({ length: 3 }, (_, n) =>
      conn(30 + n, { queues: [0, 5000], columns: { timerKind: TIMER_KINDS.indexOf('persist') } }),
    ),
    ...Array.from({ length: 8 }, (_, n) =>
      conn(at / 10 + 100 + n, { remote: '203.0.113.50:80', owners: others, cookie: 3000 + at + n }),
    ),
    ...Array.from({ length: 6 }, (_, n) =>
      conn(200 + n, {
        state: 'syn-sent',
        remote: '203.0.113.60:81',
        owners: others,
        queues: [0, 1],
        columns: { timerKind: TIMER_KINDS.indexOf('on'), timerMs: 500, timerRetransmits: 2 },
      }),
    ),
  ];
  const origin = look(at, []).origin;
  return look(at, rows, {
    origin: { ...origin, host },
    counters: { ListenOverflows: at, ListenDrops: at, ActiveOpens: at * 9, AttemptFails: 0 },
    processes: new Map([[10, { state: 'T' }]]),
  });
}

function diagnosisOf(names: Names) {
  const watch = new DiagnosisWatch({ thresholds: DEFAULT_THRESHOLDS });
  for (const at of [0, 1000, 2000, 3000, 4000, 5000]) watch.take(looksOf(names, at));
  const facts = watch.facts({
    descriptors: [{ owner: { pid: 30, fd: 4, name: names.client }, open: 1024, limit: 1024 }],
    routes: {
      routes: [
        {
          kind: 'via',
          to: parseIp('0.0.0.0') ?? expect.fail(),
          bits: 0,
          device: names.device,
          gateway: parseIp('203.0.113.254') ?? expect.fail(),
          metric: 0,
        },
      ],
      running: new Set(),
      own: new Set(),
      unanswered: new Set(['203.0.113.254']),
    },
  });
  return facts as DiagnosisFacts;
}

const text = (pieces: Iterable<string>) => [...pieces].join('');
const LEAK = new RegExp(`${SECRET}|203\\.0\\.113|fe80`, 'i');

const PLAIN: Names = {
  first: `a${SECRET}`,
  second: `b${SECRET}`,
  client: `c${SECRET}`,
  other: `d${SECRET}`,
  path: `/run/${SECRET}`,
  device: `eth${SECRET}`,
  host: `h${SECRET}`,
};

describe('--redact of findings', () => {
  it('is tried on a host on which much is wrong', () => {
    const rules = new Set(diagnose(diagnosisOf(PLAIN)).findings.map(({ rule }) => rule));
    for (const rule of [
      'accept_queue_full',
      'unix_queue_full',
      'close_wait_leak',
      'app_not_reading',
      'connect_timeout',
    ])
      expect([...rules]).toContain(rule);
    expect(text(diagnosisText(diagnose(diagnosisOf(PLAIN)), new Pseudonyms(), { color: false }))).toMatch(
      /device dev-\d is not up/,
    );
  });

  it('hides names and addresses, whatever they hold, in a diagnosis', () => {
    fc.assert(
      fc.property(anyNames, (names) => {
        const diagnosis = diagnose(diagnosisOf(names));
        expect(text(diagnosisJson(diagnosis, new Pseudonyms()))).not.toMatch(LEAK);
        expect(text(diagnosisText(diagnosis, new Pseudonyms(), { color: false }))).not.toMatch(LEAK);
      }),
      { numRuns: 60 },
    );
  });

  it('and in pools, whichever of them are shown', () => {
    fc.assert(
      fc.property(anyNames, fc.integer({ min: 1, max: 6 }), (names, top) => {
        const { pools } = diagnosisOf(names);
        const report = topPools(judgePools(pools), top);
        expect(text(poolsJson(report, new Pseudonyms()))).not.toMatch(LEAK);
        expect(text(poolsTable(report, new Pseudonyms(), { color: false }))).not.toMatch(LEAK);
      }),
      { numRuns: 60 },
    );
  });

  it('hides processes that are called by a number, and no other number', () => {
    const names = new Pseudonyms();
    names.owner({ pid: 7, fd: 1, name: '8080' });
    expect(names.sentence('8080/7 had 8080 connections on port 8080')).toBe(
      'process-1/7 had 8080 connections on port 8080',
    );
  });
});
