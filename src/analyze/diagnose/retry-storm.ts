import type { DiagnosisFacts } from '../../model/diagnosis.js';
import { formatEndpoint } from '../../model/endpoint.js';
import { evidence } from '../evidence.js';
import { isFull } from '../facts.js';
import { count, counted, ownerText } from '../words.js';
import { rateText, STORM, steadyPace, WHOSE_PACE } from './attempts.js';
import { aboutRefused, mostRefusedAt, onlyRefusedAt, refusedIn, refusedRule } from './connect-refused.js';
import { type DiagnosisRule, type Found, isCurrent, ownerOf, risen, whoText } from './found.js';

/** So many failures of a whole namespace, and hardly a success, are no sum of clients that each wait. */
const SURE_STORM = { perSecond: 20, failing: 0.8 };
/** Clients that are gone, of one queue, that are no chance. */
const MANY = 5;

/** Attempts that fail at a steady pace: the client does not back off. And clients that come again and again to a listener that is full. */
export const stormRule: DiagnosisRule = {
  name: 'retry_storm',
  asks: 'attempts without back-off',
  needs: ['looks'],
  judge: (facts) => [...stormsTo(facts), ...stormOfFailures(facts), ...stormsOn(facts)],
};

/** Of one process to one destination that answers none. */
const stormsTo = (facts: DiagnosisFacts): Found[] =>
  facts.seen.connecting.flatMap((one): Found[] => {
    const { remote, owner, begun, gone, established, open, everRetried } = one;
    const { watchedMs } = facts;
    const [first, second] = begun;
    const total = first + second;
    const perSecond = (total * 1000) / Math.max(1, watchedMs);
    const isFailing = gone + open > 0 && (established === 0 || everRetried > established);
    if (!isFailing || !isCurrent(one.triedMs, facts)) return [];
    if (total < STORM.attempts || perSecond < STORM.perSecond) return [];
    if (second < first * STORM.steady && second * 2000 < STORM.endless * watchedMs) return [];
    return [
      {
        rule: 'retry_storm',
        severity: 'warning',
        sure: 'likely',
        about: { remote, ...ownerOf(owner) },
        message: `${whoText(owner)} tries ${formatEndpoint(remote)} at least ${rateText(perSecond)} times per second without back-off, and is not answered`,
        evidence: [
          evidence(
            'attempts',
            total,
            'connects',
            `${count(first)} attempts in the first half of the watch, ${count(second)} in the second: a client that waits longer each time makes far fewer`,
          ),
          evidence('established', established, 'connections', `${count(established)} of them succeeded`),
        ],
        advice: backOff(whoText(owner)),
      },
    ];
  });

/**
 * Of the namespace: what fails at once is gone before a look. Many clients that each wait between attempts sum up to a steady pace as well, so
 * that alone is no more than a hint, which connect_refused gives where it speaks.
 */
function stormOfFailures(facts: DiagnosisFacts): Found[] {
  const pace = steadyPace(facts);
  // What nobody answers is told of by its destination.
  if (pace === undefined || refusedIn(facts) === 0) return [];
  const { all, perSecond, text, kind } = pace;
  const isStorm =
    perSecond >= SURE_STORM.perSecond && all.failed > Math.max(1, all.opened) * SURE_STORM.failing;
  if (!isStorm && refusedRule.judge(facts).length > 0) return [];
  const target = onlyRefusedAt(facts);
  const where = target === undefined ? '' : ` to ${formatEndpoint(target.end)}`;
  return [
    {
      rule: 'retry_storm',
      severity: isStorm ? 'warning' : 'info',
      sure: isStorm ? 'likely' : 'suspected',
      about: aboutRefused(target),
      message: `connects of this network namespace${where} fail at ${kind} of ${rateText(perSecond)} per second: ${WHOSE_PACE}`,
      evidence: [evidence('attempts_failed', all.failed, 'connects', text)],
      advice: `${backOff(target?.owners?.[0] === undefined ? 'the client' : whoText(target.owners[0]))}; connect_refused says ${mostRefusedAt(facts) === undefined ? 'how to find it' : 'more'}`,
    },
  ];
}

/** Clients that gave up, and hold places in the queue while they try again. */
const stormsOn = ({ listeners, ...facts }: DiagnosisFacts): Found[] =>
  listeners.flatMap(({ listener, window }): Found[] => {
    const waiting = listener.waiting ?? listener.group?.waiting;
    const gone = (waiting?.abandoned ?? 0) + (waiting?.reset ?? 0);
    const { length } = listener.acceptQueue;
    if (!isFull(listener) || gone < MANY || gone < length / 2) return [];
    const dropped = window?.droppedDelta ?? 0;
    const overflows = risen({ listeners, ...facts }, 'ListenOverflows') ?? 0;
    if (dropped + overflows === 0) return [];
    const where = formatEndpoint(listener.local);
    const [owner] = listener.owners ?? [];
    return [
      {
        rule: 'retry_storm',
        severity: 'warning',
        sure: 'likely',
        about: { local: listener.local, ...(owner && { owner }) },
        message: `clients of ${where} give up and come again while its accept queue is full: ${count(gone)} of ${count(length)} places are held by clients that are gone`,
        evidence: [
          evidence(
            'waiting.abandoned',
            gone,
            'connections',
            `${counted(gone, 'client')} closed or reset while they waited`,
          ),
          evidence(
            'ListenOverflows',
            overflows,
            'segments',
            `ListenOverflows of the namespace rose by ${count(overflows)} during the watch`,
          ),
        ],
        advice: `when ${ownerText(listener.owners)} accepts again it first works for clients that are gone: let it drop what it finds closed, keep the queue short rather than long, and give clients a longer timeout with exponential back-off and jitter`,
      },
    ];
  });

const backOff = (who: string) =>
  `let ${who} wait longer after each failure (exponential back-off with jitter, a circuit breaker), and bound how many try at once`;
