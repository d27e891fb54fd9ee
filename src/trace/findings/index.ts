import { severityRank } from '../../model/findings.js';
import type { TraceConnection } from '../../model/trace.js';
import type { TraceFinding } from '../../model/trace-findings.js';
import { timedOut } from './connect.js';
import type { FindingContext, FindingRule } from './facts.js';
import { halfOpen, refused, resetEarly, slowHandshake } from './handshake.js';
import { cookieThenSilence, resetAfterAck, synAckAgain, synsIgnored } from './overflow.js';
import { tlsAlert, tlsUnfinished } from './tls.js';
import { missing, resent, slowStart, stalls, zeroWindow } from './transfer.js';
import { gaveUp, race, resetAfterRequest } from './usage.js';

export type { FindingContext } from './facts.js';

/** The rules that a connection is held against. Of the overflow signatures only one can be. */
const RULES: readonly FindingRule[] = [
  (connection, context) =>
    synAckAgain(connection, context) ??
    cookieThenSilence(connection, context) ??
    resetAfterAck(connection, context) ??
    synsIgnored(connection, context),
  refused,
  timedOut,
  slowHandshake,
  halfOpen,
  resetEarly,
  tlsAlert,
  tlsUnfinished,
  race,
  resetAfterRequest,
  gaveUp,
  zeroWindow,
  resent,
  stalls,
  slowStart,
  missing,
];

/** What is wrong with a connection, the worst first. Stateless: the same connection gives the same findings. */
export function findTrace(connection: TraceConnection, context: FindingContext): TraceFinding[] {
  const found = RULES.flatMap((rule) => rule(connection, context) ?? []).map((finding) =>
    withFrames(finding, connection),
  );
  return found.sort((a, b) => severityRank(b.severity) - severityRank(a.severity));
}

/** Where the events that show it were not kept, the connection's first and last packet are a place to look. */
const withFrames = (finding: TraceFinding, { first, last }: TraceConnection): TraceFinding =>
  finding.frames.length > 0 ? finding : { ...finding, frames: [...new Set([first.frame, last.frame])] };

const WEIGHTS = { info: 1, warning: 100, critical: 10_000 } as const;

/** The order of the table: greater is worse. */
export const troubleScore = ({ findings }: TraceConnection): number =>
  findings.reduce(
    (sum, { severity, rule }) => sum + WEIGHTS[severity] * (rule === 'accept_queue_overflow' ? 2 : 1),
    0,
  );
