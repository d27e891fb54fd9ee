import type { Connecting, DiagnosisFacts } from '../../model/diagnosis.js';
import { formatEndpoint, isWildcard } from '../../model/endpoint.js';
import type { Evidence } from '../../model/findings.js';
import type { ListenerReport } from '../../model/listener.js';
import { evidence } from '../evidence.js';
import { isFull } from '../facts.js';
import { apartText } from '../pools/words.js';
import { synTimeout } from '../syn-schedule.js';
import { count, counted, duration, ownerText } from '../words.js';
import { type DiagnosisRule, type Found, isCurrent, ownerOf, settingOf, whoText } from './found.js';
import { type Outcome, outcomesOf } from './outcome.js';
import { isWithoutNeighbour, routeEvidence } from './route.js';

const SYN_RETRIES = 'net.ipv4.tcp_syn_retries';
const SYN_LINEAR = 'net.ipv4.tcp_syn_linear_timeouts';
/** Connects without an answer that are no chance. */
const MANY = 5;
/** The kernel evicts and counts a little before the very end. */
const TABLE_FULL = 0.99;

/** Connects that were given up before the kernel sent a second SYN, and how long they had tried: fewer or shorter are a change of mind. */
const EARLY = { least: 3, ms: 200 };

/** SYN-SENT whose SYN was sent again, or that were given up before: nobody answers (KERNEL.md 3, S1, and 9). */
export const timeoutRule: DiagnosisRule = {
  name: 'connect_timeout',
  asks: 'connects that nobody answers',
  needs: ['looks'],
  judge: (facts) =>
    [...outcomesOf(facts)]
      .filter(
        ([one, { early }]) =>
          isRetried(one) || (early >= EARLY.least && (one.leftEarlyMs?.least ?? 0) >= EARLY.ms),
      )
      .filter(([one]) => isCurrent(isRetried(one) ? one.unansweredMs : one.triedMs, facts))
      .map(([one, outcome]) => judgeTimeout(one, outcome, facts)),
};

const isRetried = ({ retried, goneUnanswered }: Connecting): boolean => retried + goneUnanswered > 0;

function judgeTimeout(one: Connecting, outcome: Outcome, facts: DiagnosisFacts): Found {
  const { remote, owner, open, retried, established } = one;
  const listener = listenerOf(one, facts);
  const full = listener !== undefined && isFull(listener.listener) ? listener : undefined;
  const to = formatEndpoint(remote);
  const tracked = facts.stack?.last.conntrack;
  const isTableFull = tracked !== undefined && tracked.count >= tracked.max * TABLE_FULL;
  const unanswered = Math.max(retried + outcome.unanswered, one.everRetried - established);
  const isEarly = !isRetried(one);
  return {
    rule: 'connect_timeout',
    severity: established === 0 && unanswered >= MANY ? 'critical' : 'warning',
    sure: isEarly && !outcome.isTold ? 'suspected' : 'certain',
    about: { remote, ...ownerOf(owner) },
    message: `nobody answered ${counted(unanswered, 'connect')} of ${whoText(owner)} to ${to}${full === undefined ? '' : `: the accept queue of ${formatEndpoint(full.listener.local)} on this host is full`}`,
    evidence: [
      evidence(
        'syn_sent',
        open,
        'connections',
        `${openText(open, retried)}${one.oldestMs === undefined ? '' : `; the oldest tries for ${duration(one.oldestMs)}`}; at most ${counted(one.mostRetries, 'repetition')} seen`,
      ),
      ...givenUp(one, outcome, facts),
      ...(established > 0
        ? [
            evidence(
              'established',
              established,
              'connections',
              `${counted(established, 'other')} to it ${established === 1 ? 'was' : 'were'} answered meanwhile`,
            ),
          ]
        : []),
      ...paceOf(one, facts),
      ...(full === undefined ? routeEvidence(remote, facts.routes) : []),
      ...hostCauses(facts),
    ],
    advice: isTableFull
      ? 'connection tracking of this host is full, and drops what is new: raise net.netfilter.nf_conntrack_max, or find who fills it (conntrack -L)'
      : full
        ? `see the finding about ${formatEndpoint(full.listener.local)} (${ownerText(full.listener.owners)}): clients wait until it accepts`
        : `see whether ${to} is up and who drops SYNs on the way: a firewall, a security group, a full accept queue there (sockwatch diagnose on that host), a wrong address; ping and a connect to another port of it tell a dead host from a filtered port${isEarly ? EARLY_ADVICE : ''}`,
    settings: [SYN_RETRIES, SYN_LINEAR, ...(isTableFull ? ['net.netfilter.nf_conntrack_max'] : [])],
  };
}

function openText(open: number, retried: number): string {
  const now = `${count(open)} in SYN-SENT now`;
  if (open === 0) return now;
  if (open === 1) return `${now}, whose SYN was ${retried === 0 ? 'not yet ' : ''}sent again`;
  return `${now}, ${count(retried)} of them ${retried === 1 ? 'has sent its' : 'have sent their'} SYN again`;
}

/** The listener on this host that a connect is for. */
function listenerOf(
  { remote }: Pick<Connecting, 'remote'>,
  { listeners }: DiagnosisFacts,
): ListenerReport | undefined {
  if (remote.kind !== 'ip') return undefined;
  return listeners.find(({ listener: { local } }) => {
    if (local.kind !== 'ip' || local.port !== remote.port) return false;
    const isSame = local.address.words.every((word, index) => word === remote.address.words[index]);
    // Of a wildcard only loopback is surely this host.
    return isSame || (isWildcard(local) && remote.address.words[3] >>> 24 === 127);
  });
}

const EARLY_ADVICE =
  '; with a timeout below a second one lost SYN fails a connect, for the kernel sends the next one after 1 s';

/** When they ended, who ended them, and how long the kernel would try. */
function givenUp(one: Connecting, { unanswered, early, by }: Outcome, facts: DiagnosisFacts): Evidence[] {
  const total = kernelTimeout(facts);
  const kernel = total === undefined ? '' : `; the kernel itself would try for ${duration(total)}`;
  const isEarly = unanswered === early;
  const after = isEarly ? one.leftEarlyMs : one.gaveUpMs;
  if (unanswered === 0 || after === undefined)
    return total === undefined
      ? []
      : [evidence('kernel_timeout', total / 1000, 'seconds', `none was given up meanwhile${kernel}`)];
  const { least, most } = after;
  const others = isEarly || early === 0 ? '' : `, and ${count(early)} sooner`;
  const text = `${counted(unanswered - (isEarly ? 0 : early), 'connect')} ${by === 'application' ? 'given up' : 'ended'} after ${duration(least)} to ${duration(most)}${isEarly ? beforeSecond(most) : others}: `;
  const isCut = by !== 'application' && isWithoutNeighbour(one.remote, facts.routes);
  return [
    evidence(
      'gave_up_after',
      most / 1000,
      'seconds',
      `${text}${isCut ? NO_NEIGHBOUR : `${ENDED_BY[by]}${by === 'kernel' ? '' : kernel}`}`,
    ),
  ];
}

/** What ended after its last look may have sent it meanwhile. */
const beforeSecond = (most: number): string =>
  most <= synTimeout(1, 0) ? ', before the kernel sent a second SYN' : ', before a second SYN was seen';

const ENDED_BY: Readonly<Record<Outcome['by'], string>> = {
  application: 'the timeout of the application',
  kernel: 'by the kernel, with an error',
  either: 'given up by the application, or ended by the kernel',
};

const NO_NEIGHBOUR = 'no ARP answer: connect() fails with EHOSTUNREACH after about 3 s';

/** When the kernel gives up a connect, in ms: with the first timeouts of a second each since Linux 6.5, then doubling. */
function kernelTimeout(facts: DiagnosisFacts): number | undefined {
  const retries = settingOf(facts, SYN_RETRIES);
  if (retries === undefined) return undefined;
  const linear = settingOf(facts, SYN_LINEAR) ?? 0;
  return synTimeout(retries + linear + 1, linear);
}

function paceOf({ begun: [first, second] }: Connecting, { watchedMs, pools }: DiagnosisFacts): Evidence[] {
  const total = first + second;
  if (total === 0 || watchedMs <= 0) return [];
  const rate = (total * 1000) / watchedMs;
  return [
    evidence(
      'attempts_per_second',
      rate,
      'per second',
      `at least ${counted(total, 'new attempt')}: ${count(first)} in the first half of the watch, ${count(second)} in the second${apartText(pools)}`,
    ),
  ];
}

/** What on this host itself drops SYNs or their answers: ruled in, or out. */
function hostCauses({ stack }: DiagnosisFacts): Evidence[] {
  if (stack === undefined) return [];
  const { conntrack } = stack.last;
  const dropped = (stack.last.softnetDropped ?? Number.NaN) - (stack.first.softnetDropped ?? Number.NaN);
  return [
    ...(conntrack === undefined
      ? []
      : [
          evidence(
            'conntrack',
            conntrack.count,
            'entries',
            `connection tracking of this host holds ${count(conntrack.count)} of ${count(conntrack.max)} entries: ${conntrack.count >= conntrack.max * TABLE_FULL ? 'it is full, and drops what is new' : 'it is not full'}`,
          ),
        ]),
    ...(Number.isNaN(dropped)
      ? []
      : [
          evidence(
            'softnet_dropped',
            dropped,
            'packets',
            dropped > 0
              ? `this host dropped ${counted(dropped, 'packet')} because the backlog of a processor was full (net.core.netdev_max_backlog)`
              : 'no packet was dropped because a backlog of this host was full',
          ),
        ]),
  ];
}
