import type { DiagnosisFinding } from '../../model/diagnosis.js';
import { type Endpoint, formatEndpoint } from '../../model/endpoint.js';
import { type Rule, SEVERITIES, severityRank } from '../../model/findings.js';
import { ownerText } from '../words.js';

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

/** What a symptom of a queue is where nobody takes from it at all. */
const WAITS: readonly Rule[] = SYMPTOMS.filter((rule) => rule !== 'stopped_acceptor');

/** What is compared: findings of `diagnose`, or those of one listener. */
export type Explained = Pick<DiagnosisFinding, 'rule' | 'severity' | 'about' | 'evidence' | 'causedBy'>;

/** Whether the one may explain the other: what both must be about. */
type Bond = (cause: Explained, effect: Explained) => boolean;

const ofOneListener: Bond = ({ about: a }, { about: b }) => a.local !== undefined && isEnd(a.local, b.local);

const ofOneProcess: Bond = ({ about: a }, { about: b }) =>
  a.owner !== undefined && a.owner.pid === b.owner?.pid;

/** Connections of one process to (or on) one end. */
const ofOnePool: Bond = ({ about: a }, { about: b }) =>
  a.owner?.pid === b.owner?.pid && isEnd(a.local, b.local) && isEnd(a.remote, b.remote);

/** The process that the evidence of the cause shows as stopped, or in uninterruptible sleep. */
const ofStopped: Bond = ({ evidence }, { about: { owner } }) =>
  owner !== undefined &&
  evidence.some(
    ({ metric, text }) => STANDS_STILL.includes(metric) && `${text} `.includes(`${ownerText([owner])} `),
  );

const STANDS_STILL = ['owner.stopped', 'owner.threads_in_d'];

/** Half or more of the ports are those that its short connections have left in TIME-WAIT. */
const fillsWith =
  (metric: string): Bond =>
  (cause, effect) => {
    const left = numberOf(cause, 'time_wait');
    const all = numberOf(effect, metric);
    return left !== undefined && all !== undefined && left * 2 >= all;
  };

/** Who holds ports is known of those only that are still open. */
const ofOneRemote: Bond = ({ about: a }, { about: b }) =>
  isEnd(a.remote, b.remote) &&
  (a.owner === undefined || b.owner === undefined || a.owner.pid === b.owner.pid);

/**
 * A storm of failures is counted of the whole namespace, as refused connects are: most of what fails must be refused, wherever most of that goes.
 * A storm of one destination is explained by what is refused there alone.
 */
const ofSameAttempts: Bond = (cause, effect) => {
  const failed = numberOf(effect, 'attempts_failed');
  if (failed === undefined) return ofOnePool(cause, effect);
  const refused = numberOf(cause, 'AttemptFails') ?? 0;
  const { remote } = effect.about;
  return refused * 2 > failed && (remote === undefined || isEnd(cause.about.remote, remote));
};

const both =
  (...bonds: readonly Bond[]): Bond =>
  (cause, effect) =>
    bonds.every((bond) => bond(cause, effect));

const numberOf = ({ evidence }: Explained, metric: string): number | undefined =>
  evidence.find((one) => one.metric === metric)?.value;

interface Cause {
  readonly cause: Rule;
  readonly of: readonly Rule[];
  readonly by: Bond;
}

/** Rules whose findings explain others. The worst cause comes first; none explains, over others, itself. */
const CAUSES: readonly Cause[] = [
  { cause: 'fd_limit', of: SYMPTOMS, by: ofOneListener },
  { cause: 'threads_blocked', of: SYMPTOMS, by: ofOneListener },
  { cause: 'threads_busy', of: SYMPTOMS, by: ofOneListener },
  { cause: 'connection_limit', of: SYMPTOMS, by: ofOneListener },
  // Descriptors that were never closed are how most limits are reached.
  { cause: 'close_wait_leak', of: ['fd_limit'], by: ofOneProcess },
  // What nobody closes, nobody reads.
  { cause: 'close_wait_leak', of: ['app_not_reading'], by: ofOnePool },
  { cause: 'keepalive_race', of: ['pool_churn', 'reconnect_wave'], by: ofOnePool },
  { cause: 'stopped_acceptor', of: WAITS, by: ofOneListener },
  // Who is stopped does not read either.
  { cause: 'stopped_acceptor', of: ['app_not_reading'], by: ofStopped },
  { cause: 'peer_not_reading', of: ['receive_window_limited'], by: ofOnePool },
  { cause: 'pool_churn', of: ['ephemeral_ports'], by: both(ofOneRemote, fillsWith('ports.total')) },
  { cause: 'pool_churn', of: ['time_wait_overflow'], by: fillsWith('time_wait') },
  // Both count the same attempts.
  { cause: 'connect_refused', of: ['retry_storm'], by: ofSameAttempts },
];

/** The same findings, each with the rule of the one that explains it; that one is as bad as what it explains. */
export function explain<Finding extends Explained>(findings: readonly Finding[]): Finding[] {
  const caused = findings.map((finding): Finding => {
    const found = CAUSES.find((cause) => findings.some((other) => explains(cause, other, finding)));
    return found === undefined ? finding : { ...finding, causedBy: found.cause };
  });
  // A cause may have one itself, which is as bad as what that one explains.
  return raised(raised(caused));
}

const explains = ({ cause, of, by }: Cause, one: Explained, finding: Explained): boolean =>
  one.rule === cause && of.includes(finding.rule) && by(one, finding);

/** Only what names the cause counts: a finding that another cause explains better raises that one alone. */
const raised = <Finding extends Explained>(findings: readonly Finding[]): Finding[] =>
  findings.map((one): Finding => {
    const effects = findings.filter(
      (finding) => finding.causedBy === one.rule && CAUSES.some((cause) => explains(cause, one, finding)),
    );
    const rank = Math.max(...[one, ...effects].map(({ severity }) => severityRank(severity)));
    return { ...one, severity: SEVERITIES[rank] ?? one.severity };
  });

/** How many causes stand before it: 0 is a thing to mend. */
export function depthOf({ causedBy }: Explained, findings: readonly Explained[]): number {
  if (causedBy === undefined) return 0;
  const cause = findings.find(({ rule }) => rule === causedBy);
  return 1 + (cause === undefined ? 0 : depthOf(cause, findings));
}

const isEnd = (a: Endpoint | undefined, b: Endpoint | undefined): boolean =>
  a === undefined || b === undefined ? a === b : formatEndpoint(a) === formatEndpoint(b);
