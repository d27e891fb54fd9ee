import type { Change } from '../model/changes.js';
import type { AlertEvent } from '../model/findings.js';
import type {
  AlertJson,
  ChangeJson,
  ContainerJson,
  EventJson,
  NamespaceJson,
  SnapshotJson,
} from '../model/json.js';
import { type Container, containerLabel } from '../model/namespace.js';
import type { Origin, Sysctls } from '../model/observation.js';
import type { OriginJson } from '../model/parts-json.js';
import type { NamespaceReport, Report } from '../model/report.js';
import { closedJson } from './json-closed.js';
import { connectionWriter } from './json-connection.js';
import { listenerJson } from './json-listener.js';
import {
  evidenceJson,
  findingJson,
  gapJson,
  homeJson,
  isoTime,
  known,
  round,
  roundKnown,
} from './json-parts.js';
import { redactNamespace } from './labels.js';
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
    namespaces: namespacesJson(report, names),
    closed: report.closed && closedJson(report.closed, names),
    findings: report.findings.map((finding) => findingJson(finding, names)),
    changes: report.changes?.map((change) => changeJson(change, names)),
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

/** Those that were asked for; else the one that sockwatch runs in, where its settings are known. */
export function namespacesJson(report: Report, names: Names): NamespaceJson[] | undefined {
  const { origin, sysctls, namespaces } = report;
  if (namespaces !== undefined) return namespaces.map((one) => namespaceJson(one, names));
  if (origin.netns === undefined || sysctls === undefined) return undefined;
  return [{ id: origin.netns, sysctls: sysctlsJson(sysctls) }];
}

const containerJson = (one: Container): ContainerJson =>
  known({ container: containerLabel(one), container_id: one.id, runtime: one.runtime });

function namespaceJson({ namespace, counters, sysctls }: NamespaceReport, names: Names): NamespaceJson {
  const { id, name, containers, ...home } = redactNamespace(namespace, names);
  return known({
    id,
    name,
    ...homeJson(home),
    runtime: home.container?.runtime,
    containers: containers?.map(containerJson),
    counters,
    sysctls: sysctls && sysctlsJson(sysctls),
  });
}

function sysctlsJson(sysctls: Sysctls): Record<string, number> {
  const keys = Object.keys(SYSCTL_NAMES) as (keyof Sysctls)[];
  return known(
    Object.fromEntries(keys.map((key) => [SYSCTL_NAMES[key], sysctls[key]])) as Record<string, number>,
  );
}

/** One change as `live --format ndjson` prints it on a line. */
export const toEventJson = (change: Change, origin: Origin, names: Names = PLAIN_NAMES): EventJson => ({
  schema: 'sockwatch.event/1',
  host: names.machine(origin.host),
  ...changeJson(change, names),
});

const changeJson = (
  { kind, time, netns, subjectText, message, evidence }: Change,
  names: Names,
): ChangeJson =>
  known({
    event: kind,
    rule: kind === 'takeover' ? ('takeover' as const) : undefined,
    severity: 'info' as const,
    time: isoTime(time),
    netns,
    subject: names.sentence(subjectText),
    message: names.sentence(message),
    evidence: evidence.map((fact) => evidenceJson(fact, names)),
  });

/** One event of an alert, as `live --format ndjson` prints it and `--on-alert` programs read it. */
export function toAlertJson(event: AlertEvent, origin: Origin, names: Names = PLAIN_NAMES): AlertJson {
  const { finding, subjectText, raisedAt } = event.alert;
  const { rule, severity, message, evidence, advice, caused_by } = findingJson(finding, names);
  return known({
    schema: 'sockwatch.alert/1' as const,
    phase: event.phase,
    time: isoTime(event.time),
    host: names.machine(origin.host),
    netns: event.alert.netns ?? origin.netns,
    rule,
    severity,
    subject: names.sentence(subjectText),
    message,
    evidence,
    advice,
    caused_by,
    since: isoTime(raisedAt),
    lasted_ms: roundKnown(event.lastedMs),
  });
}
