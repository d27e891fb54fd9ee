import { describe, expect, it } from 'vitest';
import { diagnose } from '../../../src/analyze/diagnose.js';
import { synTimeout } from '../../../src/analyze/syn-schedule.js';
import { DEFAULT_THRESHOLDS } from '../../../src/analyze/thresholds.js';
import { type IpAddress, parseIp } from '../../../src/model/ip.js';
import type { Counters } from '../../../src/model/observation.js';
import { DiagnosisWatch } from '../../../src/watch/diagnosis.js';
import { closedBatch, look, type RowSpec } from '../../support/table-builder.js';

const JAVA = { pid: 812, fd: 9, name: 'java' };
const REMOTE = '10.0.0.9:3306';
const [CONNECTION, ATTEMPT] = [0, 2];

/** Attempt `n`, in SYN-SENT for `ageMs`. */
function trying(n: number, ageMs: number): RowSpec {
  let retries = 0;
  while (synTimeout(retries + 1, 4) <= ageMs) retries++;
  return {
    state: 'syn-sent',
    local: `10.0.0.1:${40_000 + n}`,
    remote: REMOTE,
    cookie: n + 1,
    owners: [JAVA],
    queues: [0, 1],
    columns: {
      inode: n + 1,
      timerKind: 0,
      timerMs: synTimeout(retries + 1, 4) - ageMs,
      timerRetransmits: retries,
    },
  };
}

const open = (n: number): RowSpec => ({ ...trying(n, 0), state: 'established', queues: [0, 0], columns: {} });

/** As the kernel tells of the end of an attempt whose destination it still has. */
const ended = (n: number, columns: RowSpec['columns'] = {}): RowSpec => ({
  state: 'close',
  local: `10.0.0.1:${40_000 + n}`,
  remote: REMOTE,
  cookie: n + 1,
  queues: null,
  columns: { closeKind: ATTEMPT, segmentsOut: 1, ...columns },
});

interface Look {
  readonly rows?: readonly RowSpec[];
  readonly counters?: Counters;
  /** Absent: nobody tells. */
  readonly told?: { readonly rows?: readonly RowSpec[]; readonly failedConnects?: number };
}

/** Looks half a second apart. */
function judge(looks: readonly Look[], unanswered: readonly string[] = []) {
  const watch = new DiagnosisWatch({ thresholds: DEFAULT_THRESHOLDS });
  for (const [index, { rows = [], counters = {}, told }] of looks.entries()) {
    const at = 1000 + index * 500;
    if (told !== undefined && index > 0)
      watch.take(closedBatch(at - 1, told.rows ?? [], { failedConnects: told.failedConnects ?? 0 }));
    watch.take(look(at, rows, { counters }));
  }
  const link = {
    kind: 'via',
    to: parseIp('10.0.0.0') as IpAddress,
    bits: 24,
    device: 'eth0',
    metric: 0,
  } as const;
  const devices = { running: new Set(['eth0']), own: new Set(['10.0.0.1']) };
  const facts = watch.facts({ routes: { routes: [link], unanswered: new Set(unanswered), ...devices } });
  if (facts === undefined) throw new Error('no look');
  return diagnose(facts).findings;
}

const found = (findings: ReturnType<typeof judge>, rule: string) =>
  findings.find((finding) => finding.rule === rule);
const textOf = (finding: ReturnType<typeof found>, metric: string) =>
  finding?.evidence.find((one) => one.metric === metric)?.text;

/** One attempt a second: every second look has it, at the next it is gone. `ended`: how many by then; `last`: the one that ended just now. */
const looksOf = (rest: (ended: number, last?: number) => Omit<Look, 'rows'>): Look[] =>
  Array.from({ length: 11 }, (_, at) =>
    at % 2 === 0
      ? { rows: [trying(at / 2, 400)], ...rest(at / 2) }
      : { rows: [], ...rest((at + 1) / 2, (at - 1) / 2) },
  );
/** Told of the one that ended just now. */
const telling = (make: (n: number) => RowSpec, last: number | undefined) => ({
  rows: last === undefined ? [] : [make(last)],
});

describe('connects that end before the kernel sends a second SYN', () => {
  const opens = (ends: number, fails: number) => ({ ActiveOpens: ends, AttemptFails: fails, OutRsts: 0 });

  it('given up without an answer are found, with how long they were tried', () => {
    const findings = judge(
      looksOf((ends, last) => ({ counters: opens(ends, 0), told: telling(ended, last) })),
    );
    const timeout = found(findings, 'connect_timeout');
    expect(timeout).toMatchObject({
      sure: 'certain',
      severity: 'critical',
      about: { owner: JAVA },
      message: `nobody answered 5 connects of java/812 to ${REMOTE}`,
      advice: expect.stringContaining('with a timeout below a second one lost SYN fails a connect'),
    });
    expect(textOf(timeout, 'gave_up_after')).toBe(
      '5 connects given up after 400 ms to 900 ms, before the kernel sent a second SYN: the timeout of the application',
    );
  });

  it('where nobody tells of ends are suspected, if no failure was counted', () => {
    const sure = (fails: (ends: number) => number) =>
      found(judge(looksOf((ends) => ({ counters: opens(ends, fails(ends)) }))), 'connect_timeout')?.sure;
    expect(sure(() => 0)).toBe('suspected');
    expect(sure((ends) => ends)).toBeUndefined();
    expect(found(judge(looksOf(() => ({}))), 'connect_timeout')).toBeUndefined();
  });

  it('refused over a long way are refused', () => {
    const findings = judge(
      looksOf((ends, last) => ({
        counters: opens(ends, ends),
        told: telling((n) => ended(n, { segmentsIn: 1 }), last),
      })),
    );
    expect(found(findings, 'connect_timeout')).toBeUndefined();
    const refused = found(findings, 'connect_refused');
    expect(refused?.message).toMatch(/^5 connects .* failed at once/);
    expect(textOf(refused, 'OutRsts')).toMatch(/: other hosts refuse$/);
    // A connect() that blocks leaves no destination.
    const blocking = judge(
      looksOf((ends, last) => ({
        counters: opens(ends, ends),
        told: { failedConnects: last === undefined ? 0 : 1 },
      })),
    );
    expect(found(blocking, 'connect_timeout')).toBeUndefined();
    expect(found(blocking, 'connect_refused')?.message).toMatch(/^5 connects /);
    expect(textOf(found(blocking, 'connect_refused'), 'OutRsts')).toMatch(
      /refuse, or cannot be reached, which/,
    );
  });

  it('established and closed between two looks, or two, or tried for a moment, are none', () => {
    const timeoutOf = (make: (n: number) => RowSpec, { age = 400, most = 99 } = {}) => {
      const looks = looksOf((ends, last) => ({ counters: opens(ends, 0), told: telling(make, last) }));
      const rowsAt = (at: number) => (at % 2 === 0 && at / 2 < most ? [trying(at / 2, age)] : []);
      return found(judge(looks.map((one, at) => ({ ...one, rows: rowsAt(at) }))), 'connect_timeout');
    };
    expect(timeoutOf(ended)).toBeDefined();
    expect(timeoutOf(ended, { most: 2 })).toBeUndefined();
    expect(timeoutOf(ended, { age: 100 })).toBeUndefined();
    const closed = { closeKind: CONNECTION, bytesAcked: 2, segmentsIn: 4, rttMs: 1 };
    expect(timeoutOf((n) => ended(n, closed))).toBeUndefined();
  });

  it('slow and answered are none', () => {
    const looks = looksOf((ends) => ({ counters: opens(ends, 0) })).map((one, at) =>
      at % 2 === 0 ? one : { ...one, rows: [open((at - 1) / 2)] },
    );
    expect(judge(looks).filter(({ rule }) => rule.startsWith('connect'))).toEqual([]);
  });
});

describe('connects that the kernel ends', () => {
  /** All that try are ended at once every 2.5 s, as where no neighbour answers; two begin between two looks. */
  const looks = (told: Look['told']): Look[] =>
    Array.from({ length: 16 }, (_, at) => {
      const [round, step] = [Math.floor(at / 5), at % 5];
      const opened = (at + 1) * 2;
      return {
        rows: Array.from({ length: step * 2 }, (__, n) =>
          trying(round * 10 + n, (step - Math.floor(n / 2)) * 500 - 100),
        ),
        counters: { ActiveOpens: opened, AttemptFails: round * 10, OutRsts: 0 },
        ...(told && { told: step === 0 ? told : {} }),
      };
    });

  it('for want of a neighbour are said so, and nobody refuses', () => {
    const findings = judge(looks({ failedConnects: 10 }), ['10.0.0.9']);
    const timeout = found(findings, 'connect_timeout');
    expect(timeout?.message).toMatch(/^nobody answered 24 connects of java\/812 to /);
    expect(textOf(timeout, 'gave_up_after')).toMatch(
      /^12 connects ended after .*, and 12 sooner: no ARP answer: connect\(\) fails with EHOSTUNREACH after about 3 s$/,
    );
    expect(found(findings, 'connect_refused')).toBeUndefined();
  });

  it('are not laid on the application, unless it is known', () => {
    const by = (told: Look['told']) =>
      textOf(found(judge(looks(told)), 'connect_timeout'), 'gave_up_after')?.replace(/^.* sooner: /, '');
    expect(by({ failedConnects: 10 })).toBe('by the kernel, with an error');
    expect(by(undefined)).toBe('given up by the application, or ended by the kernel');
  });

  it('are no share of more than all', () => {
    const more = Array.from({ length: 11 }, (_, n) => ({
      counters: { ActiveOpens: n * 4, AttemptFails: n * 5 },
    }));
    expect(textOf(found(judge(more), 'connect_refused'), 'failed_per_second')).toMatch(
      /^50 connects failed, and 40 began meanwhile \(100%\): /,
    );
  });
});
