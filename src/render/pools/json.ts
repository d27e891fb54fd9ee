import type {
  HikariMatch,
  NewShare,
  Pool,
  PoolFinding,
  PoolsReport,
  RemoteSum,
  Spread,
} from '../../model/pools.js';
import type {
  HikariJson,
  PoolFindingJson,
  PoolJson,
  PoolRemoteJson,
  PoolsHeaderJson,
  PoolsJson,
  SpreadJson,
} from '../../model/pools-json.js';
import { evidenceJson, findingJson, gapJson, isoTime, known, round, roundKnown } from '../json-parts.js';
import { jsonText } from '../json-text.js';
import { namespaceName } from '../labels.js';
import type { Names } from '../names.js';

/** The whole answer as one object. */
export function toPoolsJson(report: PoolsReport, names: Names): PoolsJson {
  learnNames(report, names);
  return {
    schema: 'sockwatch.pools/1',
    ...headJson(report, names),
    pools: report.pools.map((_, index) => poolJson(report, index, names)),
    remotes: report.remotes.map((remote) => remoteJson(remote, names)),
    findings: report.findings.map((finding) => poolFindingJson(finding, report, names)),
    ...unmatchedJson(report, names),
    gaps: report.gaps.map((gap) => gapJson(gap, names)),
  };
}

/** The object with one pool a line. */
export function* poolsJson(report: PoolsReport, names: Names): Generator<string> {
  const { pools, ...rest } = toPoolsJson(report, names);
  yield `${jsonText(rest).slice(0, -1)},\n"pools":[`;
  for (const [index, pool] of pools.entries()) yield `${index === 0 ? '\n' : ',\n'}${jsonText(pool)}`;
  yield ']}\n';
}

/** A header, a line for each pool, an end. */
export function* poolsNdjson(report: PoolsReport, names: Names): Generator<string> {
  learnNames(report, names);
  const header: PoolsHeaderJson = {
    schema: 'sockwatch.header/1',
    ...headJson(report, names),
    remotes: report.remotes.map((remote) => remoteJson(remote, names)),
    findings: report.findings.map((finding) => ({
      ...findingJson(finding, names),
      sure: finding.sure,
      about: aboutJson(finding, report, names),
    })),
    ...unmatchedJson(report, names),
  };
  yield `${jsonText(header)}\n`;
  for (const index of report.pools.keys())
    yield `${jsonText({ schema: 'sockwatch.pool/1', ...poolJson(report, index, names) })}\n`;
  const gaps = report.gaps.map((gap) => gapJson(gap, names));
  const connections = report.pools.reduce((sum, { open }) => sum + open, 0);
  const listeners = report.pools.filter(({ direction }) => direction === 'inbound').length;
  yield `${jsonText({ schema: 'sockwatch.end/1', listeners, connections, pools: report.pools.length, gaps })}\n`;
}

/** Before the first sentence, so that the names in it are hidden too. */
export function learnNames({ origin, pools, leftOut = [], remotes }: PoolsReport, names: Names): void {
  names.processesHaveIds();
  names.machine(origin.host);
  for (const { end, owner } of [...pools, ...leftOut]) {
    names.endpoint(end);
    if (typeof owner === 'object') names.owner(owner);
  }
  for (const { end } of remotes) names.endpoint(end);
}

const headJson = ({ origin, watchedMs, looks, activeOpens, apartMs, endsTold }: PoolsReport, names: Names) =>
  known({
    time: isoTime(origin.time),
    host: names.machine(origin.host),
    netns: origin.netns,
    source: origin.source,
    boot_id: names.redacted ? undefined : origin.bootId,
    monotonic_ms: round(origin.monotonic),
    seconds: round(watchedMs / 1000),
    looks,
    longest_gap_ms: roundKnown(apartMs),
    active_opens: activeOpens,
    ends_told: endsTold,
  });

function unmatchedJson({ hikari }: PoolsReport, names: Names) {
  const unmatched = hikari.filter(({ pool }) => pool === undefined).map((match) => hikariJson(match, names));
  return unmatched.length === 0 ? {} : { hikari_unmatched: unmatched };
}

const ownerFields = ({ owner }: Pool, names: Names) =>
  typeof owner === 'object' ? { pid: owner.pid, process: names.owner(owner).name } : {};

const endField = ({ direction, end }: Pool, names: Names) =>
  direction === 'outbound' ? { remote: names.endpoint(end) } : { local: names.endpoint(end) };

/** One pool of a report. */
export function poolJson(report: PoolsReport, index: number, names: Names): PoolJson {
  const pool = report.pools[index] as Pool;
  const hikari = report.hikari.find((match) => match.pool === index);
  const { past, closeWaits } = pool;
  return known({
    direction: pool.direction,
    ...ownerFields(pool, names),
    owner: typeof pool.owner === 'object' ? undefined : pool.owner,
    netns: pool.netns,
    netns_name: pool.namespace && namespaceName(pool.namespace, names),
    ...endField(pool, names),
    service: pool.service,
    open: pool.open,
    connecting: pool.connecting,
    busy: pool.busy,
    idle: pool.idle,
    unsure: pool.unsure,
    use_basis: pool.busy === undefined ? undefined : ('inferred' as const),
    waiting: pool.waiting,
    half_closed: pool.closeWait + pool.finWait + pool.lastAck,
    close_wait: pool.closeWait,
    close_wait_stuck: closeWaits.stuck,
    close_wait_growth: closeWaits.growth,
    fin_wait: pool.finWait,
    last_ack: pool.lastAck,
    time_wait: pool.timeWait,
    highest: past.highest,
    highest_busy: past.highestBusy,
    lowest: past.lowest,
    created: past.created,
    closed: past.closed,
    created_per_second: roundKnown(pool.createdPerSecond),
    closed_per_second: roundKnown(pool.closedPerSecond),
    reused: past.reused,
    seen: past.seen,
    connect_failed: past.connectFailed,
    age_ms: spreadJson(pool.age),
    age_at_least: pool.agesAtLeast && pool.age !== undefined ? (true as const) : undefined,
    idle_ms: spreadJson(pool.quiet),
    ...shareFields(report.shares[index]),
    long_lived: pool.longLived.count,
    long_lived_moving: pool.longLived.moving,
    long_lived_quiet_60s: pool.longLived.quiet60s,
    long_lived_quiet_350s: pool.longLived.quiet350s,
    traffic: pool.traffic && { basis: 'inferred' as const, ...pool.traffic },
    ...keepAliveFields(pool),
    rtt_ms: spreadJson(pool.rtt),
    bytes_sent: pool.bytesSent,
    bytes_received: pool.bytesReceived,
    retransmissions: pool.retransmissions,
    looks: past.looks,
    hikari: hikari === undefined ? undefined : hikariJson(hikari, names),
    findings: report.findings.filter(({ pool: of }) => of === index).map(({ rule }) => rule),
  });
}

const shareFields = (share: NewShare | undefined) =>
  share === undefined
    ? {}
    : {
        share_of_new: percentOf(share.share),
        share_of_new_by_time: share.byTime.map((part) => (part === undefined ? null : percentOf(part))),
      };

/** Two digits of a share. */
const percentOf = (share: number) => Math.round(share * 100) / 100;

const keepAliveFields = ({ idleCloses: { timeout, lost }, probes }: Pool) =>
  known({
    idle_close_ms: timeout && Math.round(timeout.ms),
    idle_close_within_ms: timeout && Math.ceil(timeout.withinMs),
    idle_close_by: timeout?.by,
    idle_close_reset: timeout?.reset,
    idle_close_count: timeout?.closes,
    idle_close_of: timeout?.of,
    lost_requests: lost?.count,
    lost_requests_by: lost?.by,
    tcp_keepalive: probes.kept,
    tcp_keepalive_unanswered: probes.unanswered,
    tcp_keepalive_next_ms: roundKnown(probes.nextProbeMs),
    no_tcp_keepalive: probes.bare,
    no_tcp_keepalive_idle: probes.bareLongIdle,
  });

const spreadJson = (spread: Spread | undefined): SpreadJson | undefined =>
  spread && { p50: round(spread.p50), p95: round(spread.p95), max: round(spread.max) };

export const remoteJson = (remote: RemoteSum, names: Names): PoolRemoteJson =>
  known({
    remote: names.endpoint(remote.end),
    netns: remote.netns,
    netns_name: remote.namespace && namespaceName(remote.namespace, names),
    service: remote.service,
    processes: remote.processes,
    open: remote.open,
    connecting: remote.connecting,
    busy: remote.busy,
    idle: remote.idle,
    unsure: remote.unsure,
    time_wait: remote.timeWait,
    highest: remote.highest,
    created_per_second: roundKnown(remote.createdPerSecond),
    closed_per_second: roundKnown(remote.closedPerSecond),
  });

const hikariJson = ({ stats, by, ageMs, disagreements }: HikariMatch, names: Names): HikariJson =>
  known({
    name: hikariName(stats.name, names),
    total: stats.total,
    active: stats.active,
    idle: stats.idle,
    waiting: stats.waiting,
    maximum: stats.maximum,
    minimum_idle: stats.minimumIdle,
    match: by,
    age_ms: roundKnown(ageMs),
    disagreements: disagreements.map((text) => names.sentence(text)),
  });

/** The name of a pool often tells whose database it is. */
export const hikariName = (name: string, names: Names): string =>
  names.redacted ? names.owner({ pid: 0, fd: 0, name }).name : name;

const subjectJson = (pool: Pool, names: Names): PoolFindingJson['subject'] =>
  known({
    direction: pool.direction,
    ...ownerFields(pool, names),
    ...endField(pool, names),
    netns: pool.netns,
  });

/** Of a pool, or of a namespace and direction. */
function aboutJson(finding: PoolFinding, { pools }: PoolsReport, names: Names): PoolFindingJson['subject'] {
  const pool = finding.pool === undefined ? undefined : pools[finding.pool];
  if (pool !== undefined) return subjectJson(pool, names);
  return known({ direction: finding.direction ?? 'outbound', netns: finding.netns });
}

function poolFindingJson(finding: PoolFinding, report: PoolsReport, names: Names): PoolFindingJson {
  return known({
    rule: finding.rule,
    severity: finding.severity,
    sure: finding.sure,
    subject: aboutJson(finding, report, names),
    message: names.sentence(finding.message),
    evidence: finding.evidence.map((evidence) => evidenceJson(evidence, names)),
    advice: finding.advice === undefined ? undefined : names.sentence(finding.advice),
  });
}
