import { describe, expect, it } from 'vitest';
import { depthOf, explain } from '../../../src/analyze/diagnose/causes.js';
import type { DiagnosisFinding, Subject } from '../../../src/model/diagnosis.js';
import type { Rule, Severity } from '../../../src/model/findings.js';
import { buildTable, row } from '../../support/table-builder.js';

const JAVA = { pid: 812, fd: 9, name: 'java' };
const OTHER = { pid: 813, fd: 9, name: 'java' };
const parseEndpoint = (local: string) => buildTable([row({ local })]).row(0).local;
const listener = (text: string): Subject => ({ local: parseEndpoint(text), owner: JAVA });
const pool = (text: string, owner = JAVA): Subject => ({ remote: parseEndpoint(text), owner });

const finding = (severity: Severity, rule: Rule, about: Subject): DiagnosisFinding => ({
  rule,
  severity,
  sure: 'certain',
  subject: '',
  about,
  message: '',
  evidence: [],
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
  ] as const)('%s explains %s of the same process and end alone', (cause, of) => {
    const alone = [`warning ${cause}`, `warning ${of}`];
    const pair = (about: Subject) => explained(finding('warning', cause, db), finding('warning', of, about));
    expect(pair(db)).toEqual([`warning ${cause}`, `warning ${of} < ${cause}`]);
    expect(pair(pool('10.0.0.9:3306', OTHER))).toEqual(alone);
    expect(pair(pool('10.0.0.8:3306'))).toEqual(alone);
    expect(pair({ local: parseEndpoint('10.0.0.9:3306'), owner: JAVA })).toEqual(alone);
  });
});
