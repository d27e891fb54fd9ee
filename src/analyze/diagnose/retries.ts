import type { ClosedGroup } from '../../model/closed.js';
import type { AttemptWindow, Connecting, DiagnosisFacts } from '../../model/diagnosis.js';
import { formatEndpoint, isWildcard } from '../../model/endpoint.js';
import type { Evidence } from '../../model/findings.js';
import type { ListenerReport } from '../../model/listener.js';
import { evidence } from '../evidence.js';
import { isFull } from '../facts.js';
import { synTimeout } from '../syn-schedule.js';
import { count, counted, duration, ownerText, percent } from '../words.js';
import { type DiagnosisRule, type Found, ownerOf, risen, settingOf, whoText } from './found.js';

const SYN_RETRIES = 'net.ipv4.tcp_syn_retries';
const SYN_LINEAR = 'net.ipv4.tcp_syn_linear_timeouts';
const MANY = 5;
/** The kernel evicts and counts a little before the very end. */
const TABLE_FULL = 0.99;
/** Attempts per second that are no chance, and how many there must be to tell. */
const STORM = { perSecond: 2, attempts: 10, steady: 0.6 };
/** So many failures of a whole namespace, and hardly a success, are no sum of clients that each wait. */
const SURE_STORM = { perSecond: 20, failing: 0.8 };
const REFUSED = { warnPerSecond: 1, least: 5 };

/** SYN-SENT whose SYN was sent again: nobody answers (KERNEL.md 3, S1, and 9). */
export const timeoutRule: DiagnosisRule = {
  name: 'connect_timeout',
  asks: 'connects that nobody answers',
  needs: ['looks'],
  judge: (facts) =>
    facts.seen.connecting
      .filter(({ retried, goneUnanswered }) => retried + goneUnanswered > 0)
      .map((one) => judgeTimeout(one, facts)),
};

function judgeTimeout(one: Connecting, facts: DiagnosisFacts): Found {
  const { remote, owner, open, retried, goneUnanswered, established } = one;
  const listener = listenerOf(one, facts);
  const full = listener !== undefined && isFull(listener.listener) ? listener : undefined;
  const to = formatEndpoint(remote);
  const tracked = facts.stack?.last.conntrack;
  const isTableFull = tracked !== undefined && tracked.count >= tracked.max * TABLE_FULL;
  const unanswered = Math.max(retried + goneUnanswered, one.everRetried - established);
  return {
    rule: 'connect_timeout',
    severity: established === 0 && unanswered >= MANY ? 'critical' : 'warning',
    sure: 'certain',
    about: { remote, ...ownerOf(owner) },
    message: `nobody answered ${counted(unanswered, 'connect')} of ${whoText(owner)} to ${to}${full === undefined ? '' : `: the accept queue of ${formatEndpoint(full.listener.local)} on this host is full`}`,
    evidence: [
      evidence(
        'syn_sent',
        open,
        'connections',
        `${count(open)} in SYN-SENT now, ${count(retried)} of them have sent their SYN again${one.oldestMs === undefined ? '' : `; the oldest tries for ${duration(one.oldestMs)}`}; at most ${counted(one.mostRetries, 'repetition')} seen`,
      ),
      ...givenUp(one, facts),
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
      ...hostCauses(facts),
    ],
    advice: isTableFull
      ? 'connection tracking of this host is full, and drops what is new: raise net.netfilter.nf_conntrack_max, or find who fills it (conntrack -L)'
      : full
        ? `see the finding about ${formatEndpoint(full.listener.local)} (${ownerText(full.listener.owners)}): clients wait until it accepts`
        : `see whether ${to} is up and who drops SYNs on the way: a firewall, a security group, a full accept queue there (sockwatch diagnose on that host), a wrong address; ping and a connect to another port of it tell a dead host from a filtered port`,
    settings: [SYN_RETRIES, SYN_LINEAR, ...(isTableFull ? ['net.netfilter.nf_conntrack_max'] : [])],
  };
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

/** The time after which the application gave up beside that of the kernel. */
function givenUp({ gaveUpMs, goneUnanswered }: Connecting, facts: DiagnosisFacts): Evidence[] {
  const total = kernelTimeout(facts);
  const kernel = total === undefined ? '' : `; the kernel itself would try for ${duration(total)}`;
  if (gaveUpMs === undefined)
    return total === undefined
      ? []
      : [evidence('kernel_timeout', total / 1000, 'seconds', `none was given up meanwhile${kernel}`)];
  const { least, most } = gaveUpMs;
  return [
    evidence(
      'gave_up_after',
      most / 1000,
      'seconds',
      `${counted(goneUnanswered, 'connect')} given up after ${duration(least)} to ${duration(most)}: the timeout of the application${kernel}`,
    ),
  ];
}

/** When the kernel gives up a connect, in ms: with the first timeouts of a second each since Linux 6.5, then doubling. */
export function kernelTimeout(facts: DiagnosisFacts): number | undefined {
  const retries = settingOf(facts, SYN_RETRIES);
  if (retries === undefined) return undefined;
  const linear = settingOf(facts, SYN_LINEAR) ?? 0;
  return synTimeout(retries + linear + 1, linear);
}

function paceOf({ begun: [first, second] }: Connecting, { watchedMs }: DiagnosisFacts): Evidence[] {
  const total = first + second;
  if (total === 0 || watchedMs <= 0) return [];
  const rate = (total * 1000) / watchedMs;
  return [
    evidence(
      'attempts_per_second',
      rate,
      'per second',
      `${count(total)} new attempts seen: ${count(first)} in the first half of the watch, ${count(second)} in the second`,
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

/** Attempts that failed at once, by the counters of the namespace; where they went, as far as the kernel told of their ends. */
export const refusedRule: DiagnosisRule = {
  name: 'connect_refused',
  asks: 'connects that are refused',
  needs: ['looks', 'counters'],
  judge: (facts) => {
    const { failed, opened, ms } = sumOf(facts.seen.attempts);
    // What the kernel gave up after its last SYN counts as failed too.
    const timedOut = facts.seen.connecting.reduce((sum, { goneUnanswered }) => sum + goneUnanswered, 0);
    const refused = Math.max(0, failed - timedOut);
    if (refused === 0 || ms <= 0) return [];
    const perSecond = (refused * 1000) / ms;
    const isMuch = perSecond >= REFUSED.warnPerSecond && refused >= REFUSED.least;
    const [target] = refusedAt(facts);
    const isMost = target !== undefined && target.refused * 2 > refused;
    const where = isMost ? ` to ${formatEndpoint(target.end)}` : '';
    return [
      {
        rule: 'connect_refused',
        severity: isMuch ? 'warning' : 'info',
        sure: 'likely',
        about: isMost ? { remote: target.end, ...ownerOf(target.owners?.[0] ?? 'unknown') } : {},
        message: `${counted(refused, 'connect')} of this network namespace${where} failed at once: ${rateText(perSecond)} per second`,
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
        advice: isMost ? REFUSED_THERE : REFUSED_ADVICE,
      },
    ];
  },
};

function paceOfFailures(facts: DiagnosisFacts): Evidence[] {
  const pace = steadyPace(facts);
  if (pace === undefined) return [];
  return [
    evidence('failed_per_second', pace.perSecond, 'per second', `${pace.text}; a steady pace: ${WHOSE_PACE}`),
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

const REFUSED_ADVICE =
  "find who connects where (the kernel does not say): tcpdump -ni any 'tcp[tcpflags] & (tcp-rst|tcp-syn) != 0', or strace -f -e trace=connect -p PID of a suspect; then start the service, or mend address and port";

/** A namespace that sends as many resets refuses its own connects. */
function resetsHere(facts: DiagnosisFacts, refused: number): Evidence[] {
  const sent = risen(facts, 'OutRsts');
  if (sent === undefined) return [];
  const text =
    sent >= refused
      ? `this namespace itself sent ${counted(sent, 'reset')}: the closed port may well be its own`
      : `this namespace sent ${counted(sent, 'reset')} itself: other hosts refuse`;
  return [evidence('OutRsts', sent, 'segments', text)];
}

/** Attempts that fail at a steady pace: the client does not back off. And clients that come again and again to a listener that is full. */
export const stormRule: DiagnosisRule = {
  name: 'retry_storm',
  asks: 'attempts without back-off',
  needs: ['looks'],
  judge: (facts) => [...stormsTo(facts), ...stormOfFailures(facts), ...stormsOn(facts)],
};

/** Of one process to one destination that answers none. */
const stormsTo = ({ seen, watchedMs }: DiagnosisFacts): Found[] =>
  seen.connecting.flatMap(({ remote, owner, begun, gone, established, open, everRetried }): Found[] => {
    const [first, second] = begun;
    const total = first + second;
    const perSecond = (total * 1000) / Math.max(1, watchedMs);
    const isFailing = gone + open > 0 && (established === 0 || everRetried > established);
    if (!isFailing || total < STORM.attempts || perSecond < STORM.perSecond) return [];
    if (second < first * STORM.steady) return [];
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
            `${count(first)} attempts in the first half of the watch, ${count(second)} in the second: the pace does not fall`,
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
  if (pace === undefined) return [];
  const { all, perSecond, text } = pace;
  const isStorm =
    perSecond >= SURE_STORM.perSecond && all.failed > Math.max(1, all.opened) * SURE_STORM.failing;
  if (!isStorm && refusedRule.judge(facts).length > 0) return [];
  return [
    {
      rule: 'retry_storm',
      severity: isStorm ? 'warning' : 'info',
      sure: isStorm ? 'likely' : 'suspected',
      about: {},
      message: `connects of this network namespace fail at a steady ${rateText(perSecond)} per second: ${WHOSE_PACE}`,
      evidence: [evidence('attempts_failed', all.failed, 'connects', text)],
      advice: `${backOff('the client')}; connect_refused says how to find it`,
    },
  ];
}

const WHOSE_PACE = 'one client without back-off, or several';

/** How connects of the namespace failed at a pace that did not fall; `undefined`: they did not. */
function steadyPace({ seen: { attempts } }: DiagnosisFacts) {
  const half = attempts.length >> 1;
  const [early, late] = [sumOf(attempts.slice(0, half)), sumOf(attempts.slice(half))];
  const all = sumOf(attempts);
  const pace = (of: AttemptWindow) => (of.failed * 1000) / Math.max(1, of.ms);
  const perSecond = pace(all);
  if (half === 0 || all.failed < STORM.attempts || perSecond < STORM.perSecond) return undefined;
  if (pace(late) < pace(early) * STORM.steady) return undefined;
  const text = `${count(all.failed)} of ${counted(all.opened, 'connect')} failed (${percent(all.failed / Math.max(1, all.opened))}): ${rateText(pace(early))} per second in the first half of the watch, ${rateText(pace(late))} in the second${isSecondTry(all) ? SECOND_TRY : ''}`;
  return { all, perSecond, text };
}

/** As many succeed as fail. */
const isSecondTry = ({ opened, failed }: AttemptWindow): boolean =>
  Math.abs(opened - 2 * failed) <= failed * NEARLY;

const NEARLY = 0.2;
const SECOND_TRY =
  '; as many succeed: it looks as if a second address was tried after each failure (IPv6 first, then IPv4)';

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

const rateText = (perSecond: number) => (perSecond < 10 ? perSecond.toFixed(1) : count(perSecond));

const sumOf = (windows: readonly AttemptWindow[]): AttemptWindow =>
  windows.reduce(
    (sum, { ms, opened, failed }) => ({
      ms: sum.ms + ms,
      opened: sum.opened + opened,
      failed: sum.failed + failed,
    }),
    { ms: 0, opened: 0, failed: 0 },
  );
