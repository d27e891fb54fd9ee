import type { AlertEvent } from '../model/findings.js';
import type { AlertJson, NamespaceJson, OriginJson, SnapshotJson } from '../model/json.js';
import type { Origin, Sysctls } from '../model/observation.js';
import type { Report } from '../model/report.js';
import { closedJson } from './json-closed.js';
import { connectionWriter } from './json-connection.js';
import { listenerJson } from './json-listener.js';
import { findingJson, gapJson, isoTime, known, round, roundKnown } from './json-parts.js';
import { type Names, PLAIN_NAMES } from './names.js';

export interface JsonOptions {
  /** Rows of `report.sockets.table` to list; absent: no `connections` field. */
  readonly connections?: Uint32Array;
  readonly names?: Names;
}

/** The whole snapshot as one object: for few connections. Many are streamed by `snapshotJson` (snapshot-json.ts). */
export function toSnapshotJson(report: Report, options: JsonOptions = {}): SnapshotJson {
  const names = options.names ?? PLAIN_NAMES;
  names.learn(report);
  const table = report.sockets?.table;
  const write = table && connectionWriter(table, names, report.origin.netns);
  return {
    ...snapshotHead(report, names),
    listeners: report.listeners.map((listener) => listenerJson(listener, names)),
    ...(options.connections && write && { connections: Array.from(options.connections, write) }),
    ...snapshotTail(report, names),
  };
}

export const snapshotHead = (report: Report, names: Names) => ({
  schema: 'sockwatch.snapshot/1' as const,
  ...originJson(report, names),
});

export const snapshotTail = (report: Report, names: Names) =>
  known({
    counters: report.counters,
    counters_delta: report.countersDelta,
    namespaces: namespacesJson(report),
    closed: report.closed && closedJson(report.closed, names),
    findings: report.findings.map((finding) => findingJson(finding, names)),
    gaps: report.gaps.map((gap) => gapJson(gap, names)),
  });

export const originJson = ({ origin, windowMs }: Report, names: Names): OriginJson =>
  known({
    time: isoTime(origin.time),
    host: names.machine(origin.host),
    netns: origin.netns,
    source: origin.source,
    boot_id: names.redacted ? undefined : origin.bootId,
    // The clock of the host that saved it is not known.
    monotonic_ms: origin.source === 'file' ? undefined : round(origin.monotonic),
    window_ms: roundKnown(windowMs),
  });

const SYSCTL_NAMES: Readonly<Record<keyof Sysctls, string>> = {
  somaxconn: 'net.core.somaxconn',
  tcpMaxSynBacklog: 'net.ipv4.tcp_max_syn_backlog',
  tcpSyncookies: 'net.ipv4.tcp_syncookies',
  tcpAbortOnOverflow: 'net.ipv4.tcp_abort_on_overflow',
};

/** The namespace that sockwatch runs in, where its settings are known. */
export function namespacesJson({ origin, sysctls }: Report): NamespaceJson[] | undefined {
  if (origin.netns === undefined || sysctls === undefined) return undefined;
  const keys = Object.keys(SYSCTL_NAMES) as (keyof Sysctls)[];
  const named = Object.fromEntries(keys.map((key) => [SYSCTL_NAMES[key], sysctls[key]]));
  return [{ id: origin.netns, sysctls: known(named as Record<string, number>) }];
}

/** One event of an alert, as `live --format ndjson` prints it and `--on-alert` programs read it. */
export function toAlertJson(event: AlertEvent, origin: Origin, names: Names = PLAIN_NAMES): AlertJson {
  const { finding, subjectText, raisedAt } = event.alert;
  const { rule, severity, message, evidence, advice } = findingJson(finding, names);
  return known({
    schema: 'sockwatch.alert/1' as const,
    phase: event.phase,
    time: isoTime(event.time),
    host: names.machine(origin.host),
    netns: origin.netns,
    rule,
    severity,
    subject: names.sentence(subjectText),
    message,
    evidence,
    advice,
    since: isoTime(raisedAt),
    lasted_ms: roundKnown(event.lastedMs),
  });
}
