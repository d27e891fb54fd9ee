import type { DiagnosisFinding } from '../../model/diagnosis.js';
import { formatEndpoint } from '../../model/endpoint.js';
import type { Rule } from '../../model/findings.js';

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

/** Rules whose findings explain others about the same listener, or the same process. The worst cause comes first. */
const CAUSES: readonly {
  readonly cause: Rule;
  readonly of: readonly Rule[];
  readonly by: 'listener' | 'process';
}[] = [
  { cause: 'fd_limit', of: SYMPTOMS, by: 'listener' },
  { cause: 'threads_blocked', of: SYMPTOMS, by: 'listener' },
  { cause: 'connection_limit', of: SYMPTOMS, by: 'listener' },
  // Descriptors that were never closed are how most limits are reached.
  { cause: 'close_wait_leak', of: ['fd_limit'], by: 'process' },
];

/** The same findings, each with the rule of the one that explains it. */
export function explain(findings: readonly DiagnosisFinding[]): DiagnosisFinding[] {
  return findings.map((finding) => {
    const found = CAUSES.find(
      ({ cause, of, by }) =>
        of.includes(finding.rule) &&
        findings.some((other) => other.rule === cause && isSame(other, finding, by)),
    );
    return found === undefined ? finding : { ...finding, causedBy: found.cause };
  });
}

function isSame({ about: a }: DiagnosisFinding, { about: b }: DiagnosisFinding, by: 'listener' | 'process') {
  if (by === 'process') return a.owner !== undefined && a.owner.pid === b.owner?.pid;
  return (
    a.local !== undefined && b.local !== undefined && formatEndpoint(a.local) === formatEndpoint(b.local)
  );
}
