import type { Evidence } from '../model/findings.js';
import {
  isPeakMissed,
  type Listener,
  type ListenerReport,
  type ListenerWindow,
  type ReuseportGroup,
  type SampleFacts,
  type SynQueue,
  type Waiting,
} from '../model/listener.js';
import type {
  AcceptQueueJson,
  GroupJson,
  ListenerJson,
  ListenerWindowJson,
  QueueSamplesJson,
  SynQueueJson,
  WaitingJson,
} from '../model/listener-json.js';
import {
  endJson,
  evidenceJson,
  hexOf,
  homeJson,
  isoTime,
  known,
  ownersJson,
  round,
  roundKnown,
} from './json-parts.js';
import { namespaceName, redactHome } from './labels.js';
import type { Names } from './names.js';

/** One listener with its verdict and evidence. */
export function listenerJson(report: ListenerReport, names: Names): ListenerJson {
  const { listener, window } = report;
  const local = endJson(listener.local, names);
  return known({
    protocol: listener.protocol,
    unix_kind: listener.unixKind,
    local: local.text,
    local_address: local.address,
    local_port: local.port,
    local_hex: hexOf(listener.local, names),
    dual_stack: listener.local.kind === 'ip' && listener.local.dualStack ? (true as const) : undefined,
    netns: listener.netns,
    netns_name: listener.namespace && namespaceName(listener.namespace, names),
    ...(listener.home && homeJson(redactHome(listener.home, names))),
    ...mountsJson(listener),
    inode: listener.inode,
    cookie: listener.cookie,
    accept_queue: acceptQueueJson(listener, window),
    syn_queue: listener.synQueue && synQueueJson(listener.synQueue),
    dropped_segments: listener.droppedSegments,
    dropped_segments_delta: window?.droppedDelta,
    waiting: listener.waiting && waitingJson(listener.waiting),
    group: listener.group && groupJson(listener.group, names),
    window: window && windowJson(window),
    owners: ownersJson(listener.owners, names),
    ...verdictJson(report, names),
  });
}

/** Only of paths: what else a process has does not depend on mounts. */
function mountsJson({ local, home }: Listener) {
  if (home?.mountNamespace === undefined || local.kind !== 'unix' || !local.path.startsWith('/')) return {};
  return { mount_namespace: home.mountNamespace };
}

function verdictJson({ verdict, findings }: ListenerReport, names: Names) {
  const advice = findings.find((finding) => finding.advice !== undefined)?.advice;
  return {
    verdict,
    severity: findings[0]?.severity,
    findings: findings.map((finding) => finding.rule),
    evidence: distinctEvidence(findings).map((fact) => evidenceJson(fact, names)),
    advice: advice === undefined ? undefined : names.sentence(advice),
  };
}

/** Several findings may rest on the same fact. */
function distinctEvidence(findings: ListenerReport['findings']): Evidence[] {
  const facts = findings.flatMap(({ evidence }) => evidence);
  return [...new Map(facts.map((fact) => [`${fact.metric} ${fact.text}`, fact])).values()];
}

const acceptQueueJson = ({ acceptQueue }: Listener, window: ListenerWindow | undefined): AcceptQueueJson =>
  known({
    length: acceptQueue.length as number,
    backlog: acceptQueue.backlog,
    capacity: acceptQueue.capacity,
    fill: acceptQueue.fill,
    peak: window?.peak,
    peak_time: window && isoTime(window.peakAt),
    peak_is_least: window?.isPeakLeast,
    samples: window?.samples && samplesJson(window.samples, window),
  });

const samplesJson = (samples: SampleFacts, window: ListenerWindow): QueueSamplesJson =>
  known({
    count: samples.count,
    rate_hz: round(samples.rateHz),
    longest_gap_ms: round(samples.longestGapMs),
    peak: samples.peak,
    peak_is_least: isPeakMissed(window) ? (true as const) : undefined,
    mean: round(samples.mean),
    busy_share: fine(samples.busyShare),
    above_warning_share: fine(samples.warningShare),
    above_critical_share: fine(samples.criticalShare),
    full_share: fine(samples.fullShare),
    full_times: samples.fullRuns,
    longest_full_ms: roundKnown(samples.longestFullMs),
    histogram: [...samples.histogram],
  });

/** A share of many samples: one of 100,000 is not nothing. */
const fine = (share: number): number => Math.round(share * 1e6) / 1e6;

const synQueueJson = ({ length, limit, retransmitted }: SynQueue): SynQueueJson =>
  known({ length: length as number, limit, retransmitted });

const waitingJson = (waiting: Waiting): WaitingJson =>
  known({
    count: waiting.count as number,
    oldest_ms: roundKnown(waiting.oldestMs),
    reset: waiting.reset,
    abandoned: waiting.abandoned as number,
    unread_bytes: waiting.unread as number,
  });

const groupJson = ({ id, members, synQueue, waiting }: ReuseportGroup, names: Names): GroupJson =>
  known({
    id: names.sentence(id),
    members,
    syn_queue: synQueue && synQueueJson(synQueue),
    waiting: waiting && waitingJson(waiting),
  });

const windowJson = (window: ListenerWindow): ListenerWindowJson =>
  known({
    age_ms: round(window.ageMs),
    dropped_segments_per_second: roundKnown(window.droppedPerSecond),
    overflows_delta: window.overflowsDelta,
    arrivals_per_second: roundKnown(window.arrivalsPerSecond),
    accepts_per_second: roundKnown(window.acceptsPerSecond),
    rate_basis: window.rateBasis,
    closed_per_second: roundKnown(window.closedPerSecond),
    closed_is_least: window.closedIsLeast,
    time_to_full_ms: roundKnown(window.timeToFullMs),
    stalled_ms: roundKnown(window.stalledMs),
    full_ms: roundKnown(window.fullMs),
  });
