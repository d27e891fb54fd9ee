import { describe, expect, it } from 'vitest';
import type { AlertEvent, Finding, Severity } from '../../src/model/findings.js';
import { parseIp } from '../../src/model/ip.js';
import type { Listener, ListenerReport, ListenerWindow } from '../../src/model/listener.js';
import type { Report } from '../../src/model/report.js';
import type { Owner } from '../../src/model/sockets.js';
import {
  bytes,
  connections,
  millis,
  monotonicMillis,
  ratio,
  segments,
  wallMillis,
} from '../../src/model/units.js';
import { alertLine, alertProgramInput } from '../../src/render/alert.js';
import { reportLines } from '../../src/render/lines.js';
import { Pseudonyms } from '../../src/render/redact.js';

const TIME = Date.UTC(2026, 10, 20, 19, 15, 6, 215);
const origin = {
  time: wallMillis(TIME),
  monotonic: monotonicMillis(1),
  host: 'web-01',
  netns: '4026531840',
  source: 'ss' as const,
};
const HOSTILE = 'ev\x1b[31m\u202eil';

const finding = (severity: Severity, message = 'accept queue full: 129 of 128'): Finding => ({
  rule: 'accept_queue_full',
  severity,
  subject: '4026531840/81234',
  message,
  evidence: [{ metric: 'accept_queue.length', value: 129, unit: 'connections', text: '129 wait' }],
  advice: 'see what nginx is waiting for',
});

const listener = (extra: Partial<Listener> = {}): Listener => ({
  key: '4026531840/81234',
  protocol: 'tcp',
  local: { kind: 'ip', address: parseIp('10.0.0.5') ?? { family: 4, words: [0, 0, 0, 0] }, port: 443 },
  acceptQueue: {
    length: connections(129),
    backlog: connections(128),
    capacity: connections(129),
    fill: ratio(1),
  },
  owners: [{ pid: 812, name: 'nginx', fd: 6 }],
  row: 0,
  ...extra,
});

const report = (listeners: readonly ListenerReport[], events: readonly AlertEvent[] = []): Report => ({
  origin,
  listeners,
  rates: {},
  findings: [],
  alerts: [],
  events,
  gaps: [],
  pace: { tookMs: millis(1), skippedTicks: 0 },
});

const event = (phase: AlertEvent['phase'], extra: Partial<AlertEvent> = {}): AlertEvent => ({
  phase,
  time: TIME,
  alert: {
    id: 'accept_queue_full 4026531840/81234',
    finding: finding('critical'),
    subjectText: '10.0.0.5:443',
    raisedAt: TIME - 12_000,
    changedAt: TIME,
  },
  ...extra,
});

const lines = (of: Report, color = false) => [...reportLines(of, { color })];

describe('reportLines', () => {
  it('says nothing when all is well', () => {
    expect(lines(report([{ listener: listener(), verdict: 'ok', findings: [] }]))).toEqual([]);
  });

  it('says of a listener in trouble what is known', () => {
    const waiting = {
      count: connections(129),
      oldestMs: millis(4100),
      abandoned: connections(0),
      unread: bytes(0),
      clients: [],
    };
    const synQueue = { length: connections(3), limit: connections(128), retransmitted: connections(0) };
    const window = { droppedDelta: segments(37) } as ListenerWindow;
    const full = { listener: listener({ waiting, synQueue }), window, verdict: 'overflowing' as const };
    expect(lines(report([{ ...full, findings: [finding('critical')] }]))).toEqual([
      '2026-11-20T19:15:06.215Z !! overflowing 10.0.0.5:443 nginx/812 129/128 100% oldest 4.1 s syn-recv 3 dropped +37: accept queue full: 129 of 128',
    ]);
  });

  it('shows unknown as unknown', () => {
    const { owners: _, ...unowned } = listener({ acceptQueue: { length: connections(2) } });
    const unknown = {
      listener: unowned,
      verdict: 'unknown_limit' as const,
      findings: [finding('info', 'limit unknown')],
    };
    expect(lines(report([unknown]))).toEqual([
      '2026-11-20T19:15:06.215Z i unknown_limit 10.0.0.5:443 ? 2/?: limit unknown',
    ]);
  });

  it('does not repeat an unknown limit where nothing waits', () => {
    const idle = listener({ acceptQueue: { length: connections(0) } });
    expect(lines(report([{ listener: idle, verdict: 'unknown_limit', findings: [] }]))).toEqual([]);
  });

  it('puts the events of alerts first', () => {
    const full = { listener: listener(), verdict: 'full' as const, findings: [finding('critical')] };
    const [first, second] = lines(report([full], [event('raised')]));
    expect(first).toBe(
      '2026-11-20T19:15:06.215Z ALERT raised critical accept_queue_full 10.0.0.5:443 accept queue full: 129 of 128',
    );
    expect(second).toContain(' !! full 10.0.0.5:443 ');
  });

  it('colours only when asked to', () => {
    const full = { listener: listener(), verdict: 'full' as const, findings: [finding('critical')] };
    expect(lines(report([full], [event('raised')])).join('')).not.toContain('\x1b');
    expect(lines(report([full]), true)[0]).toContain('\x1b[1;37;41m!! full\x1b[0m');
  });

  it('lets no control byte of the host through', () => {
    const owners: Owner[] = [{ pid: 1, name: HOSTILE, fd: 3 }];
    const local = { kind: 'unix' as const, path: `/run/${HOSTILE}\n` };
    const hostile = {
      listener: listener({ owners, local, protocol: 'unix' }),
      verdict: 'full' as const,
      findings: [finding('critical', HOSTILE)],
    };
    const changed = event('changed', {
      alert: { ...event('changed').alert, subjectText: HOSTILE, finding: finding('warning', HOSTILE) },
    });
    for (const line of lines(report([hostile], [changed]))) {
      expect(line).toMatch(/^[\x20-\x7e]*$/);
      expect(line).toContain('ev\\e[31m\\u{202e}il');
    }
  });

  it('hides names when asked to', () => {
    const full = {
      listener: listener(),
      verdict: 'full' as const,
      findings: [finding('critical', 'nginx at 10.0.0.5 is full')],
    };
    const whole = report([full]);
    const names = new Pseudonyms();
    names.learn(whole);
    expect([...reportLines(whole, { color: false, names })]).toEqual([
      '2026-11-20T19:15:06.215Z !! full ip-1:443 process-1/812 129/128 100%: process-1 at ip-1 is full',
    ]);
  });
});

describe('alertLine', () => {
  it('says how long a cleared alert lasted', () => {
    expect(alertLine(event('cleared', { lastedMs: 12_000 }), false)).toMatch(
      / ALERT cleared .*\(lasted 12\.0 s\)$/,
    );
  });
});

describe('alertProgramInput', () => {
  it('gives JSON on one line and the same in the environment', () => {
    const { id, input, env } = alertProgramInput(event('raised'), origin);
    expect(id).toBe('accept_queue_full 4026531840/81234');
    expect(input.endsWith('\n')).toBe(true);
    expect(input.trimEnd()).not.toContain('\n');
    expect(JSON.parse(input)).toMatchObject({
      schema: 'sockwatch.alert/1',
      phase: 'raised',
      subject: '10.0.0.5:443',
      severity: 'critical',
      since: '2026-11-20T19:14:54.215Z',
      advice: 'see what nginx is waiting for',
    });
    expect(env).toEqual({
      SOCKWATCH_ALERT_PHASE: 'raised',
      SOCKWATCH_ALERT_RULE: 'accept_queue_full',
      SOCKWATCH_ALERT_SEVERITY: 'critical',
      SOCKWATCH_ALERT_SUBJECT: '10.0.0.5:443',
      SOCKWATCH_ALERT_MESSAGE: 'accept queue full: 129 of 128',
      SOCKWATCH_ALERT_TIME: '2026-11-20T19:15:06.215Z',
      SOCKWATCH_ALERT_HOST: 'web-01',
    });
  });

  it('cleans and shortens what goes into the environment', () => {
    const alert = {
      ...event('raised').alert,
      subjectText: `@a\0${HOSTILE}`,
      finding: finding('critical', 'x'.repeat(5000)),
    };
    const { env } = alertProgramInput(event('raised', { alert }), origin);
    expect(env.SOCKWATCH_ALERT_SUBJECT).toBe('@a\\x00ev\\e[31m\\u{202e}il');
    expect(env.SOCKWATCH_ALERT_MESSAGE).toHaveLength(1000);
  });
});
