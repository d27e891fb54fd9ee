import type { ChangeKind } from './changes.js';
import type { ClosedJson } from './closed-json.js';
import type { ConnectionJson } from './connection-json.js';
import type { Rule, Severity } from './findings.js';
import type { GroupKey } from './groups-json.js';
import type { ListenerJson } from './listener-json.js';
import type { Runtime } from './namespace.js';
import type { CountersJson, EvidenceJson, GapJson, OriginJson } from './parts-json.js';

/*
 * What other programs read: names stay, more fields may come, absent means unknown. Field names end in their unit.
 * The files in schema/ are made from these types (`npm run schema`).
 */

/** A finding that belongs to no listener. */
export interface FindingJson {
  rule: Rule;
  severity: Severity;
  subject: string;
  message: string;
  evidence: EvidenceJson[];
  advice?: string;
  /** The finding that explains it, and says what to do. */
  caused_by?: Rule;
}

/** A container with processes in a network namespace that it shares. */
export interface ContainerJson {
  /** Name, else the first digits of the id. */
  container: string;
  container_id: string;
  runtime?: Runtime;
}

/** One network namespace: with the container where there is only one, with the pod and the unit where all of its processes are of one. */
export interface NamespaceJson {
  /** Inode. */
  id: string;
  /** `host`, or the name of its file in /run/netns. */
  name?: string;
  /** Name of the container, else the first digits of its id. */
  container?: string;
  container_id?: string;
  runtime?: Runtime;
  /** Containers that have processes in it, where others are there too. */
  containers?: ContainerJson[];
  pod?: string;
  unit?: string;
  counters?: CountersJson;
  /** By the names of /proc/sys: `net.core.somaxconn`. */
  sysctls?: Record<string, number>;
}

export interface SnapshotJson extends OriginJson {
  schema: 'sockwatch.snapshot/1';
  listeners: ListenerJson[];
  /** With --connections or --all only. */
  connections?: ConnectionJson[];
  counters?: CountersJson;
  /** Change within the window. */
  counters_delta?: CountersJson;
  namespaces?: NamespaceJson[];
  /** Connections that ended: `live` only. */
  closed?: ClosedJson;
  findings: FindingJson[];
  /** What came, went or changed hands since the look before; absent: nothing. */
  changes?: ChangeJson[];
  gaps: GapJson[];
}

/** Something that is good to know and no trouble. */
export interface ChangeJson {
  event: ChangeKind;
  /** Of a takeover. */
  rule?: Rule;
  severity: 'info';
  /** ISO 8601, UTC. */
  time: string;
  netns?: string;
  /** `0.0.0.0:443`, `netns web`. */
  subject: string;
  message: string;
  evidence: EvidenceJson[];
}

/** One change on a line of its own: `live --format ndjson`. */
export type EventJson = { schema: 'sockwatch.event/1'; host: string } & ChangeJson;

/** First line of `--format ndjson`. */
export interface HeaderJson extends OriginJson {
  schema: 'sockwatch.header/1';
  counters?: CountersJson;
  namespaces?: NamespaceJson[];
  findings: FindingJson[];
  group_by?: GroupKey;
}

/** One line of `--format ndjson`. */
export type SocketJson =
  | ({ schema: 'sockwatch.socket/1'; kind: 'listener' } & ListenerJson)
  | ({ schema: 'sockwatch.socket/1'; kind: 'connection' } & ConnectionJson);

/** Last line of `--format ndjson`: without it the output was cut off. */
export interface EndJson {
  schema: 'sockwatch.end/1';
  listeners: number;
  connections: number;
  groups?: number;
  pools?: number;
  gaps: GapJson[];
}

/** One event of an alert: what `live --format ndjson` and `--on-alert` programs get. */
export interface AlertJson {
  schema: 'sockwatch.alert/1';
  phase: 'raised' | 'changed' | 'cleared';
  /** ISO 8601, UTC. */
  time: string;
  host: string;
  netns?: string;
  rule: Rule;
  severity: Severity;
  /** `0.0.0.0:443`, the path of a Unix socket, or `host`. */
  subject: string;
  message: string;
  evidence: EvidenceJson[];
  advice?: string;
  /** The finding that explains it, and says what to do. */
  caused_by?: Rule;
  /** When it was raised; ISO 8601, UTC. */
  since: string;
  /** With `cleared` only. */
  lasted_ms?: number;
}
