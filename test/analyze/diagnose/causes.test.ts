import { describe, expect, it } from 'vitest';
import { depthOf, explain } from '../../../src/analyze/diagnose/causes.js';
import type { DiagnosisFinding, Subject } from '../../../src/model/diagnosis.js';
import type { Evidence, Rule, Severity } from '../../../src/model/findings.js';
import { buildTable, row } from '../../support/table-builder.js';

const JAVA = { pid: 812, fd: 9, name: 'java' };
const OTHER = { pid: 813, fd: 9, name: 'java' };
const parseEndpoint = (local: string) => buildTable([row({ local })]).row(0).local;
const listener = (text: string): Subject => ({ local: parseEndpoint(text), owner: JAVA });
const pool = (text: string, owner = JAVA): Subject => ({ remote: parseEndpoint(text), owner });

const fact = (metric: string, value: number, text = ''): Evidence => ({ metric, value, unit: '', text });

const finding = (
  severity: Severity,
  rule: Rule,
  about: Subject,
  ...evidence: Evidence[]
): DiagnosisFinding => ({
  rule,
  severity,
  sure: 'certain',
  subject: '',
  about,
  message: '',
  evidence,
  why: '',
  advice: '',
  settings: [],
});

/** `critical stopped_acceptor`, with `< cause` behind what has one. */
const explained = (...findings: DiagnosisFinding[]) =>
  explain(findings).map(
    ({ severity, rule, causedBy }) => `${severity} ${rule}${causedBy === undefined ? '' : ` < ${causedBy}`}`,
  );

describe('what explains what', () => {
  const at = listener('10.0.0.1:80');
  const db = pool('10.0.0.9:3306');

  it('makes a cause as bad as what it explains', () => {
    expect(
      explained(finding('critical', 'accept_queue_full', at), finding('warning', 'threads_blocked', at)),
    ).toEqual(['critical accept_queue_full < threads_blocked', 'critical threads_blocked']);
  });

  it('leaves a finding alone that explains nothing here', () => {
    expect(
      explained(
        finding('critical', 'accept_queue_full', listener('10.0.0.1:81')),
        finding('warning', 'threads_blocked', at),
      ),
    ).toEqual(['critical accept_queue_full', 'warning threads_blocked']);
  });

  it('goes on to the cause of a cause', () => {
    const all = explain([
      finding('critical', 'accept_queue_full', at),
      finding('warning', 'fd_limit', at),
      finding('warning', 'close_wait_leak', { ...at, local: parseEndpoint('10.0.0.1:81') }),
    ]);
    expect(all.map(({ severity, causedBy }) => [severity, causedBy])).toEqual([
      ['critical', 'fd_limit'],
      ['critical', 'close_wait_leak'],
      ['critical', undefined],
    ]);
    expect(all.map((one) => depthOf(one, all))).toEqual([2, 1, 0]);
  });

  it('knows a stopped acceptor behind long waits, and what is behind it', () => {
    const waits = [finding('critical', 'oldest_wait', at), finding('warning', 'stopped_acceptor', at)];
    expect(explained(...waits)).toEqual([
      'critical oldest_wait < stopped_acceptor',
      'critical stopped_acceptor',
    ]);
    expect(explained(...waits, finding('warning', 'connection_limit', at))[0]).toBe(
      'critical oldest_wait < connection_limit',
    );
  });

  it.each([
    ['keepalive_race', 'pool_churn'],
    ['keepalive_race', 'reconnect_wave'],
    ['close_wait_leak', 'app_not_reading'],
    ['peer_not_reading', 'receive_window_limited'],
    ['connect_refused', 'retry_storm'],
  ] as const)('%s explains %s of the same process and end alone', (cause, of) => {
    const alone = [`warning ${cause}`, `warning ${of}`];
    const pair = (about: Subject) => explained(finding('warning', cause, db), finding('warning', of, about));
    expect(pair(db)).toEqual([`warning ${cause}`, `warning ${of} < ${cause}`]);
    expect(pair(pool('10.0.0.9:3306', OTHER))).toEqual(alone);
    expect(pair(pool('10.0.0.8:3306'))).toEqual(alone);
    expect(pair({ local: parseEndpoint('10.0.0.9:3306'), owner: JAVA })).toEqual(alone);
  });

  it.each([
    'accept_queue_filling',
    'accept_queue_full',
    'accept_queue_overflow',
    'unix_queue_full',
    'slow_acceptor',
  ] as const)('a stopped acceptor is why there is %s at its listener, and at no other', (of) => {
    const pair = (about: Subject) =>
      explained(finding('critical', of, about), finding('critical', 'stopped_acceptor', at))[0];
    expect(pair(at)).toBe(`critical ${of} < stopped_acceptor`);
    expect(pair(listener('10.0.0.1:81'))).toBe(`critical ${of}`);
  });

  it('who is stopped or waits for a disk does not read either; who only waits may', () => {
    const unread = finding('warning', 'app_not_reading', { ...listener('10.0.0.1:99'), owner: OTHER });
    const why = (metric: string, text: string) =>
      explained(finding('critical', 'stopped_acceptor', at, fact(metric, 1, text)), unread)[1];
    const caused = 'warning app_not_reading < stopped_acceptor';
    expect(why('owner.stopped', 'java/813 is stopped (state T)')).toBe(caused);
    expect(why('owner.threads_in_d', '1 thread of java/813 in uninterruptible sleep')).toBe(caused);
    expect(why('owner.stopped', 'java/8131 is stopped (state T)')).toBe('warning app_not_reading');
    expect(why('owner.cpus', 'java/813 used 0% of a processor')).toBe('warning app_not_reading');
  });

  it('connections that are made and closed use up ports and TIME-WAIT where most of it is theirs', () => {
    const churn = (timeWait: number, about: Subject = db) =>
      finding('warning', 'pool_churn', about, fact('time_wait', timeWait));
    const source = { local: parseEndpoint('10.0.0.1:0'), remote: parseEndpoint('10.0.0.9:3306') };
    const ports = finding('critical', 'ephemeral_ports', source, fact('ports.total', 100));
    expect(explained(churn(60), ports)).toEqual([
      'critical pool_churn',
      'critical ephemeral_ports < pool_churn',
    ]);
    expect(explained(churn(40), ports)[1]).toBe('critical ephemeral_ports');
    expect(explained(churn(60, pool('10.0.0.8:3306')), ports)[1]).toBe('critical ephemeral_ports');
    const held = finding(
      'critical',
      'ephemeral_ports',
      { ...source, owner: OTHER },
      fact('ports.total', 100),
    );
    expect(explained(churn(60), held)[1]).toBe('critical ephemeral_ports');
    const table = finding('warning', 'time_wait_overflow', {}, fact('time_wait', 100));
    expect(explained(churn(60), table)[1]).toBe('warning time_wait_overflow < pool_churn');
    expect(explained(churn(40), table)[1]).toBe('warning time_wait_overflow');
    expect(explained(finding('warning', 'pool_churn', db), table)[1]).toBe('warning time_wait_overflow');
  });

  it('refused connects are the storm of those that fail where they are most of them, whatever share goes to one place', () => {
    const refused = (count: number, about: Subject = {}) =>
      finding('warning', 'connect_refused', about, fact('AttemptFails', count));
    const storm = (about: Subject = {}) =>
      finding('warning', 'retry_storm', about, fact('attempts_failed', 100));
    const alone = 'warning retry_storm';
    const caused = `${alone} < connect_refused`;
    expect(explained(refused(100), storm())[1]).toBe(caused);
    // To the most part, but not nearly all, to one place: only the cause is said of that.
    expect(explained(refused(100, db), storm())[1]).toBe(caused);
    expect(explained(refused(51, db), storm())[1]).toBe(caused);
    expect(explained(refused(100, db), storm(db))[1]).toBe(caused);
    // Most of it was given up, as nobody answered.
    expect(explained(refused(50, db), storm())[1]).toBe(alone);
    expect(explained(refused(50), storm())[1]).toBe(alone);
    expect(explained(refused(100, db), storm(pool('10.0.0.8:3306')))[1]).toBe(alone);
    expect(explained(refused(100), storm(db))[1]).toBe(alone);
    // Counted of one destination, which answers none.
    const unanswered = finding('warning', 'retry_storm', pool('10.0.0.8:3306'), fact('attempts', 100));
    expect(explained(refused(100, db), unanswered, storm()).slice(1)).toEqual([alone, caused]);
  });
});
