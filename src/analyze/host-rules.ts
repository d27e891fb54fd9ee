import { type Endpoint, formatEndpoint } from '../model/endpoint.js';
import type { Evidence, Finding, Severity } from '../model/findings.js';
import type { Listener } from '../model/listener.js';
import type { Counters, Sysctls } from '../model/observation.js';
import { FULL_BIN, type ListenerSamples } from '../model/samples.js';
import type { Owner } from '../model/sockets.js';
import { evidence } from './evidence.js';
import { count, counted, duration, listed, listenerText, ownerText } from './words.js';

/** Findings that belong to no listener have this subject. */
export const HOST = 'host';

export interface UnattributedOverflows {
  readonly overflows: number;
  readonly windowMs: number;
  /** Windows of the last three that had some. */
  readonly recent: number;
  /** Those that dropped segments; else those that may have overflowed, the fullest first. */
  readonly candidates: readonly Listener[];
  readonly haveDropped: boolean;
}

/** Overflows that no listener can be named for: the candidates, and no choice among them (KERNEL.md 11). */
export function unattributedOverflow(facts: UnattributedOverflows): Finding {
  const { overflows, windowMs, recent, candidates, haveDropped } = facts;
  const names = listed(candidates.map(listenerText));
  const whose = candidates.length === 0 ? 'no listener that is left shows it' : `candidates: ${names}`;
  const how = haveDropped ? 'each dropped segments in that time' : 'by how full they were of late';
  return hostFinding(
    'accept_queue_overflow',
    recent >= 2 ? 'critical' : 'warning',
    `an accept queue of this namespace overflowed since the last look: ${counted(overflows, 'segment')} dropped in ${duration(windowMs)}; ${whose}`,
    [
      evidence(
        'ListenOverflows',
        overflows,
        'segments',
        `ListenOverflows rose by ${count(overflows)}, which cannot be attributed to one listener`,
      ),
      ...(candidates.length === 0
        ? []
        : [evidence('candidates', candidates.length, 'listeners', `${names}: ${how}`)]),
    ],
    'look at the candidates: which of them is full at times; a shorter --interval, or a higher --sample-rate, tells more',
  );
}

export interface PassingListener {
  readonly samples: ListenerSamples;
  readonly local: Endpoint;
  /** Overflows that only it can have had. */
  readonly overflows: number;
}

/** A listener that was full or overflowed, and is in no table now: it came and went between two looks, or has been closed. */
export function passingFindings({ samples, local, overflows }: PassingListener): Finding[] {
  const { key, peak, full, backlog, samples: seen } = samples;
  const where = `${formatEndpoint(local)}, which is gone now`;
  const fullText = `full in ${full === undefined ? 'none' : count(timesFull(samples))} of ${counted(seen, 'sample')}, backlog ${count(backlog)}`;
  const facts = [
    evidence(
      'accept_queue.samples.peak',
      peak,
      'connections',
      `${counted(peak, 'connection')} at the highest`,
    ),
    evidence('accept_queue.samples.full_share', timesFull(samples) / seen, 'ratio', fullText),
  ];
  const base = { severity: 'warning' as const, subject: key, evidence: facts };
  return [
    ...(overflows === 0
      ? []
      : [
          {
            ...base,
            rule: 'accept_queue_overflow' as const,
            message: `accept queue of ${where}, overflowed: ${counted(overflows, 'segment')} dropped`,
          },
        ]),
    ...(full === undefined
      ? []
      : [
          {
            ...base,
            rule: local.kind === 'unix' ? ('unix_queue_full' as const) : ('accept_queue_full' as const),
            message: `accept queue of ${where}, was full: ${counted(peak, 'connection')} of backlog ${count(backlog)}`,
          },
        ]),
  ];
}

const timesFull = ({ fills }: ListenerSamples): number => fills.find(([bin]) => bin === FULL_BIN)?.[1] ?? 0;

/** The time that counters rose in, ms: the one from the look before to the last, or a whole watch. */
export type CountedIn = { readonly windowMs: number } | { readonly wholeMs: number };

const timeText = (time: CountedIn): string =>
  'wholeMs' in time ? `in ${duration(time.wholeMs)}` : `in the last ${duration(time.windowMs)}`;

/** SYN queues that were full meanwhile, as far as the counters of the namespace tell. */
export function synFindings(deltas: Counters, sysctls: Sysctls | undefined, time: CountedIn): Finding[] {
  const cookies = deltas.TCPReqQFullDoCookies ?? 0;
  const dropped = deltas.TCPReqQFullDrop ?? 0;
  const inTime = timeText(time);
  const found: Finding[] = [];
  // With 2 every SYN is answered with a cookie, whether a queue is full or not (KERNEL.md 4).
  if (cookies > 0 && sysctls?.tcpSyncookies !== 2) {
    const text = `a SYN queue was full: ${counted(cookies, 'SYN')} answered with SYN cookies ${inTime}`;
    const facts = [evidence('TCPReqQFullDoCookies', cookies, 'segments', text)];
    found.push(hostFinding('syn_cookies', 'warning', text, facts, SYN_ADVICE));
  }
  if (dropped > 0) {
    const text = `a SYN queue was full: ${counted(dropped, 'SYN')} dropped ${inTime}, for SYN cookies are off`;
    const facts = [evidence('TCPReqQFullDrop', dropped, 'segments', text)];
    const advice = `set net.ipv4.tcp_syncookies to 1; ${SYN_ADVICE}`;
    found.push(hostFinding('syn_queue_full', 'critical', text, facts, advice));
  }
  return found;
}

const SYN_ADVICE =
  'see who sends so many SYNs; if they are clients, raise the backlog argument of listen() of the listener with the most SYN-RECV, and net.core.somaxconn where that is lower';

export function udpDrops(
  subject: string,
  local: string,
  owners: readonly Owner[] | undefined,
  dropped: number,
  time: CountedIn,
): Finding {
  const text = `UDP socket ${local} dropped ${counted(dropped, 'datagram')} ${timeText(time)}`;
  return {
    rule: 'udp_drops',
    severity: 'warning',
    subject,
    message: text,
    evidence: [evidence('drops', dropped, 'datagrams', text)],
    advice: `let ${ownerText(owners)} read faster, or give it a larger receive buffer (SO_RCVBUF, net.core.rmem_max)`,
  };
}

export function ownersHidden(why: string, hidden: number): Finding {
  const text = `owners ${why}`;
  return hostFinding('owners_hidden', 'info', text, [
    evidence('owners.hidden', hidden, 'listeners', `${counted(hidden, 'listener')} without a known owner`),
  ]);
}

export const sourceError = (why: string, remedy: string | undefined, sinceMs: number): Finding =>
  hostFinding(
    'source_error',
    'critical',
    `sockets cannot be read: ${why}`,
    [evidence('source.failing_ms', sinceMs, 'ms', `no good look for ${duration(sinceMs)}`)],
    remedy,
  );

/** A namespace that was watched by its name is not there now: no fault of the source. */
export const namespaceGone = (subject: string, why: string, sinceMs: number): Finding => ({
  ...sourceError(why, 'start it again, or end the watch: a namespace of that name is looked for', sinceMs),
  severity: 'warning',
  subject,
  message: why,
});

const hostFinding = (
  rule: Finding['rule'],
  severity: Severity,
  message: string,
  facts: readonly Evidence[],
  advice?: string,
): Finding => ({
  rule,
  severity,
  subject: HOST,
  message,
  evidence: facts,
  ...(advice !== undefined && { advice }),
});
