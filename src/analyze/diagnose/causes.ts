import type { DiagnosisFinding } from '../../model/diagnosis.js';
import { type Endpoint, formatEndpoint } from '../../model/endpoint.js';
import { type Rule, SEVERITIES, severityRank } from '../../model/findings.js';

/** What a full or slow queue looks like; the cause, where one is found for the same listener, is the thing to mend. */
const SYMPTOMS: readonly Rule[] = [
  'accept_queue_filling',
  'accept_queue_full',
  'accept_queue_overflow',
  'stopped_acceptor',
  'slow_acceptor',
  'oldest_wait',
  'unix_queue_full',
];

/** What both must be about: one listener, one process, or connections of one process to (or on) one end. */
type Bond = 'listener' | 'process' | 'pool';

interface Cause {
  readonly cause: Rule;
  readonly of: readonly Rule[];
  readonly by: Bond;
}

/** Rules whose findings explain others. The worst cause comes first; none explains, over others, itself. */
const CAUSES: readonly Cause[] = [
  { cause: 'fd_limit', of: SYMPTOMS, by: 'listener' },
  { cause: 'threads_blocked', of: SYMPTOMS, by: 'listener' },
  { cause: 'threads_busy', of: SYMPTOMS, by: 'listener' },
  { cause: 'connection_limit', of: SYMPTOMS, by: 'listener' },
  // Descriptors that were never closed are how most limits are reached.
  { cause: 'close_wait_leak', of: ['fd_limit'], by: 'process' },
  // What nobody closes, nobody reads.
  { cause: 'close_wait_leak', of: ['app_not_reading'], by: 'pool' },
  { cause: 'keepalive_race', of: ['pool_churn', 'reconnect_wave'], by: 'pool' },
  { cause: 'stopped_acceptor', of: ['oldest_wait', 'slow_acceptor'], by: 'listener' },
];

/** The same findings, each with the rule of the one that explains it; that one is as bad as what it explains. */
export function explain(findings: readonly DiagnosisFinding[]): DiagnosisFinding[] {
  const caused = findings.map((finding) => {
    const found = CAUSES.find((cause) => findings.some((other) => explains(cause, other, finding)));
    return found === undefined ? finding : { ...finding, causedBy: found.cause };
  });
  // A cause may have one itself, which is as bad as what that one explains.
  return raised(raised(caused));
}

const explains = ({ cause, of, by }: Cause, one: DiagnosisFinding, finding: DiagnosisFinding): boolean =>
  one.rule === cause && of.includes(finding.rule) && isSame(one, finding, by);

/** Only what names the cause counts: a finding that another cause explains better raises that one alone. */
const raised = (findings: readonly DiagnosisFinding[]): DiagnosisFinding[] =>
  findings.map((one) => {
    const effects = findings.filter(
      (finding) => finding.causedBy === one.rule && CAUSES.some((cause) => explains(cause, one, finding)),
    );
    const rank = Math.max(...[one, ...effects].map(({ severity }) => severityRank(severity)));
    return { ...one, severity: SEVERITIES[rank] ?? one.severity };
  });

/** How many causes stand before it: 0 is a thing to mend. */
export function depthOf({ causedBy }: DiagnosisFinding, findings: readonly DiagnosisFinding[]): number {
  if (causedBy === undefined) return 0;
  const cause = findings.find(({ rule }) => rule === causedBy);
  return 1 + (cause === undefined ? 0 : depthOf(cause, findings));
}

function isSame({ about: a }: DiagnosisFinding, { about: b }: DiagnosisFinding, by: Bond): boolean {
  if (by === 'process') return a.owner !== undefined && a.owner.pid === b.owner?.pid;
  if (by === 'pool')
    return a.owner?.pid === b.owner?.pid && isEnd(a.local, b.local) && isEnd(a.remote, b.remote);
  return a.local !== undefined && isEnd(a.local, b.local);
}

const isEnd = (a: Endpoint | undefined, b: Endpoint | undefined): boolean =>
  a === undefined || b === undefined ? a === b : formatEndpoint(a) === formatEndpoint(b);
