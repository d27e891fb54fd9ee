import type { ClosedGroup } from '../../model/closed.js';
import type { DiagnosisFacts, Subject } from '../../model/diagnosis.js';
import { formatEndpoint } from '../../model/endpoint.js';
import type { Evidence } from '../../model/findings.js';
import { evidence } from '../evidence.js';
import { count, counted } from '../words.js';
import { rateText, sinceFailureMs, steadyPace, sumOf, WHOSE_PACE } from './attempts.js';
import { type DiagnosisRule, isCurrent, ownerOf, risen, whoText } from './found.js';
import { failedIn, outcomesOf, toldRefused } from './outcome.js';

const REFUSED = { warnPerSecond: 1, least: 5 };

/** Attempts that failed at once, by the counters of the namespace; where they went, as far as the kernel told of their ends. */
export const refusedRule: DiagnosisRule = {
  name: 'connect_refused',
  asks: 'connects that are refused',
  needs: ['looks', 'counters'],
  judge: (facts) => {
    const { opened, ms } = sumOf(facts.seen.attempts);
    const refused = refusedIn(facts);
    if (refused === 0 || ms <= 0 || !isCurrent(sinceFailureMs(facts), facts)) return [];
    const perSecond = (refused * 1000) / ms;
    const isMuch = perSecond >= REFUSED.warnPerSecond && refused >= REFUSED.least;
    const target = mostRefusedAt(facts);
    const where =
      target === undefined
        ? ''
        : `, at least ${count(target.refused)} of them to ${formatEndpoint(target.end)}`;
    return [
      {
        rule: 'connect_refused',
        severity: isMuch ? 'warning' : 'info',
        sure: 'likely',
        about: aboutRefused(target),
        message: `${counted(refused, 'connect')} of this network namespace failed at once, ${rateText(perSecond)} per second${where}`,
        evidence: [
          evidence(
            'AttemptFails',
            refused,
            'connects',
            `AttemptFails of the namespace, without what ended in SYN-RECV, rose by ${count(refused)} of ${counted(opened, 'connect')} (ActiveOpens)`,
          ),
          ...paceOfFailures(facts),
          ...refusedAt(facts).map(destinationEvidence),
          ...resetsHere(facts, refused),
        ],
        ...(toldRefused(facts) === 0 && { why: WHY_UNTOLD }),
        advice: target === undefined ? REFUSED_ADVICE : REFUSED_THERE,
      },
    ];
  },
};

/**
 * Attempts that failed at once. What the kernel ended without an answer counts as failed too; of that, some came and went between two looks, and
 * are told from refused ones only by the resets that came.
 */
export function refusedIn(facts: DiagnosisFacts): number {
  const failed = failedIn(facts) ?? 0;
  const told = Math.min(failed, toldRefused(facts));
  let unanswered = 0;
  for (const one of outcomesOf(facts).values()) if (one.by !== 'application') unanswered += one.unanswered;
  const left = failed - unanswered;
  return left > unanswered * MOST_BETWEEN_LOOKS ? Math.max(told, left) : told;
}

/** Of what the kernel ended without an answer, beside what looks have seen of it. */
const MOST_BETWEEN_LOOKS = 0.5;

/** Where more than half of them went; `undefined`: it cannot be told, or to no one place. */
export function mostRefusedAt(facts: DiagnosisFacts): ClosedGroup | undefined {
  const [target] = refusedAt(facts);
  return target !== undefined && target.refused * 2 > refusedIn(facts) ? target : undefined;
}

/** Where nearly all of them went, so that what is counted of all may be said of it. */
export function onlyRefusedAt(facts: DiagnosisFacts): ClosedGroup | undefined {
  const target = mostRefusedAt(facts);
  return target !== undefined && target.refused >= refusedIn(facts) * NEARLY_ALL ? target : undefined;
}

const NEARLY_ALL = 0.9;

/** Of the namespace where nobody knows. */
export const aboutRefused = (target: ClosedGroup | undefined): Subject =>
  target === undefined ? {} : { remote: target.end, ...ownerOf(target.owners?.[0] ?? 'unknown') };

function paceOfFailures(facts: DiagnosisFacts): Evidence[] {
  const pace = steadyPace(facts);
  if (pace === undefined) return [];
  return [
    evidence('failed_per_second', pace.perSecond, 'per second', `${pace.text}; ${pace.kind}: ${WHOSE_PACE}`),
  ];
}

/** Destinations that answered with a RST, the one with most first. What blocks in connect() has none (KERNEL.md 7). */
const refusedAt = ({ closed }: DiagnosisFacts): ClosedGroup[] =>
  (closed?.groups ?? [])
    .filter(({ direction, refused }) => direction === 'outbound' && refused > 0)
    .sort((a, b) => b.refused - a.refused)
    .slice(0, MOST_DESTINATIONS);

const destinationEvidence = ({ end, refused, owners }: ClosedGroup): Evidence =>
  evidence(
    'refused',
    refused,
    'connects',
    `at least ${counted(refused, 'connect')} to ${formatEndpoint(end)}${owners?.[0] === undefined ? '' : ` by ${whoText(owners[0])}`} answered with a reset`,
  );

const MOST_DESTINATIONS = 3;

const REFUSED_THERE =
  'start the service there, let its firewall accept instead of reject, or mend the address and port of the client';

/** No reset was told of. */
const WHY_UNTOLD =
  'each attempt fails at once: the port is closed, a firewall rejects it, or the host cannot be reached';

const REFUSED_ADVICE =
  "find who connects where (the kernel does not say): tcpdump -ni any 'tcp[tcpflags] & (tcp-rst|tcp-syn) != 0', or strace -f -e trace=connect -p PID of a suspect; then start the service, or mend address, port or route";

/** A namespace that sends as many resets refuses its own connects. */
function resetsHere(facts: DiagnosisFacts, refused: number): Evidence[] {
  const sent = risen(facts, 'OutRsts');
  if (sent === undefined) return [];
  const text =
    sent >= refused
      ? `this namespace itself sent ${counted(sent, 'reset')}: the closed port may well be its own`
      : `this namespace sent ${counted(sent, 'reset')} itself: ${toldRefused(facts) > 0 ? 'other hosts refuse' : 'other hosts refuse, or cannot be reached, which the kernel does not tell of a connect() that blocks'}`;
  return [evidence('OutRsts', sent, 'segments', text)];
}
