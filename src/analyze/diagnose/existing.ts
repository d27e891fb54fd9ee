import type { ConnectionsSeen, DiagnosisFacts, DiagnosisFinding, Subject } from '../../model/diagnosis.js';
import { formatEndpoint } from '../../model/endpoint.js';
import type { Evidence, Finding, Rule } from '../../model/findings.js';
import type { Pool, PoolFinding } from '../../model/pools.js';
import type { Sureness } from '../../model/trace-findings.js';
import { evidence } from '../evidence.js';
import { count, listed, listenerText } from '../words.js';
import { whyOf } from './why.js';

/** Inferred from several looks; what is not listed was counted. */
const SURENESS: Partial<Record<Rule, Sureness>> = {
  stopped_acceptor: 'likely',
  slow_acceptor: 'likely',
  threads_blocked: 'likely',
  threads_busy: 'likely',
  connection_limit: 'suspected',
  small_backlog: 'likely',
  dropped_segments: 'suspected',
};

/** Settings in force that belong to a finding about listeners. */
const QUEUE_SETTINGS = ['net.core.somaxconn'];
const SETTINGS: Partial<Record<Rule, readonly string[]>> = {
  accept_queue_filling: QUEUE_SETTINGS,
  accept_queue_full: [...QUEUE_SETTINGS, 'net.ipv4.tcp_abort_on_overflow'],
  accept_queue_overflow: [...QUEUE_SETTINGS, 'net.ipv4.tcp_abort_on_overflow'],
  small_backlog: QUEUE_SETTINGS,
  syn_queue_full: [...QUEUE_SETTINGS, 'net.ipv4.tcp_max_syn_backlog', 'net.ipv4.tcp_syncookies'],
  syn_cookies: ['net.ipv4.tcp_syncookies'],
  udp_drops: ['net.core.rmem_max'],
  no_keepalive: [
    'net.ipv4.tcp_keepalive_time',
    'net.ipv4.tcp_keepalive_intvl',
    'net.ipv4.tcp_keepalive_probes',
  ],
};

/** What other commands find too, of listeners, of the namespace and of pools: the same findings in this report. */
export function* existingFindings({
  listeners,
  host,
  pools,
  seen,
  closed,
}: DiagnosisFacts): Generator<DiagnosisFinding> {
  for (const { listener, findings } of listeners)
    for (const finding of findings) {
      const owner = listener.owners?.[0];
      const about = { local: listener.local, ...(owner && { owner }) };
      yield dress(finding, about, SURENESS[finding.rule] ?? 'certain', `${listenerText(listener)}: `);
    }
  // Who is hidden is said among what could not be looked at.
  const wrong = host.filter(({ rule }) => rule !== 'owners_hidden');
  for (const finding of wrong) yield dress(finding, {}, SURENESS[finding.rule] ?? 'certain', '');
  for (const finding of pools.findings) {
    const pool = finding.pool === undefined ? undefined : pools.pools[finding.pool];
    if (finding.pool === undefined)
      yield dress(
        { ...finding, evidence: [...finding.evidence, ...endedAt(finding, closed)] },
        {},
        finding.sure,
        '',
      );
    if (pool === undefined || (finding.rule === 'pool_churn' && isUnanswered(pool, seen))) continue;
    const about: Subject = {
      ...(pool.direction === 'outbound' ? { remote: pool.end } : { local: pool.end }),
      ...(typeof pool.owner === 'object' && { owner: pool.owner }),
    };
    // What moves data again between two looks looks like what moves it once.
    const sure = finding.rule === 'pool_churn' && finding.sure === 'certain' ? 'likely' : finding.sure;
    yield dress(finding, about, sure, '');
  }
}

/** Where most of those that no look has shown went, or came to, as the kernel told of their ends. */
function endedAt({ direction }: PoolFinding, closed: DiagnosisFacts['closed']): Evidence[] {
  const most = (closed?.groups ?? [])
    .filter((group) => group.direction === direction && group.closed > 0)
    .sort((a, b) => b.closed - a.closed)
    .slice(0, MOST_ENDS);
  const [first] = most;
  if (first === undefined) return [];
  const names = most.map(({ end, closed: ended }) => `${formatEndpoint(end)}: ${count(ended)}`);
  return [
    evidence(
      'ended',
      first.closed,
      'connections',
      `most that ended ${direction === 'inbound' ? 'came to' : 'went to'} ${listed(names)}`,
    ),
  ];
}

const MOST_ENDS = 3;

/** Attempts that nobody answers come and go like short connections, and are none. */
const isUnanswered = ({ end, past }: Pool, { connecting }: ConnectionsSeen): boolean =>
  past.highest === 0 &&
  connecting.some(
    ({ remote, gone, established }) =>
      gone > 0 && established === 0 && formatEndpoint(remote) === formatEndpoint(end),
  );

const dress = (finding: Finding, about: Subject, sure: Sureness, prefix: string): DiagnosisFinding => ({
  rule: finding.rule,
  severity: finding.severity,
  sure,
  subject: about.local === undefined ? finding.subject : formatEndpoint(about.local),
  about,
  message: `${prefix}${finding.message}`,
  evidence: finding.evidence,
  why: whyOf(finding.rule),
  advice: finding.advice ?? '',
  settings: SETTINGS[finding.rule] ?? [],
});
