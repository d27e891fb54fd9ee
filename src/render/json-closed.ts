import type { ClosedGroup, ClosedRecent, ClosedReport, Spread } from '../model/closed.js';
import type { ClosedGroupJson, ClosedJson, ClosedRecentJson, SpreadJson } from '../model/closed-json.js';
import { endJson, known, ownersJson, round, roundKnown } from './json-parts.js';
import { namespaceName } from './labels.js';
import type { Names } from './names.js';

/** Whoever needs more of them wants a filter. */
const MOST_GROUPS = 200;

/** Connections that ended, the groups with most of them in the window first. */
export function closedJson(report: ClosedReport, names: Names): ClosedJson {
  const groups = [...report.groups].sort(
    (a, b) => (b.closedPerSecond ?? 0) - (a.closedPerSecond ?? 0) || b.closed - a.closed,
  );
  return known({
    source: report.from,
    since_ms: round(report.sinceMs),
    closed: report.closed,
    closed_per_second: roundKnown(report.closedPerSecond),
    inbound: report.inbound,
    outbound: report.outbound,
    failed_connects: report.failedConnects,
    failed_connects_per_second: roundKnown(report.failedConnectsPerSecond),
    failed_connects_without_destination: report.failedWithoutDestination,
    unconnected: report.unconnected,
    lost: report.lost,
    lost_in_window: report.lostInWindow,
    incomplete: report.incomplete,
    not_shown: report.notShown,
    groups: groups.slice(0, MOST_GROUPS).map((group) => groupJson(group, names)),
    groups_left_out: Math.max(0, groups.length - MOST_GROUPS),
  });
}

function groupJson(group: ClosedGroup, names: Names): ClosedGroupJson {
  const end = endJson(group.end, names);
  return known({
    direction: group.direction,
    netns: group.namespace?.id,
    netns_name: group.namespace && namespaceName(group.namespace, names),
    end: end.text,
    end_address: end.address,
    end_port: end.port,
    owners: ownersJson(group.owners, names),
    owners_of: group.owners === undefined ? undefined : group.ownersOf,
    closed: group.closed,
    closed_per_second: roundKnown(group.closedPerSecond),
    refused: group.refused,
    unanswered: group.unanswered,
    recent: recentJson(group.recent),
  });
}

const recentJson = (recent: ClosedRecent): ClosedRecentJson =>
  known({
    over_ms: round(recent.overMs),
    closed: recent.closed,
    endings: recent.endings,
    closed_first: recent.closers,
    lasted_at_least_ms: spreadJson(recent.lastedAtLeast),
    lasted_at_most_ms: spreadJson(recent.lastedAtMost),
    idle_before_close_ms: spreadJson(recent.idle),
    idle_before_close_by_self_ms: spreadJson(recent.idleBy.self),
    idle_before_close_by_peer_ms: spreadJson(recent.idleBy.peer),
    bytes_sent: recent.sentInAll as number | undefined,
    bytes_received: recent.receivedInAll as number | undefined,
    bytes_are_least: recent.bytesAreLeast,
    bytes_sent_each: spreadJson(recent.bytesSent),
    bytes_received_each: spreadJson(recent.bytesReceived),
    rtt_ms: spreadJson(recent.rttMs),
    retransmissions: recent.retransmissions,
    retransmitting_connections: recent.retransmitting,
    busy_ms: roundKnown(recent.busyMs),
    receiver_limited_ms: roundKnown(recent.receiverLimitedMs),
    buffer_limited_ms: roundKnown(recent.bufferLimitedMs),
  });

const spreadJson = (spread: Spread | undefined): SpreadJson | undefined =>
  spread && {
    count: spread.count,
    p50: round(spread.p50),
    p95: round(spread.p95),
    max: round(spread.max),
  };
