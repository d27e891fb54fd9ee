import type { Change } from './changes.js';
import type { ClosedReport } from './closed.js';
import type { Alert, AlertEvent, Finding } from './findings.js';
import type { ListenerReport } from './listener.js';
import type { Namespace } from './namespace.js';
import type { Counters, Gap, Origin, Sysctls } from './observation.js';
import type { PoolsAtLook } from './pools.js';
import type { ReplayPosition } from './replay.js';
import type { SocketTable } from './table.js';
import type { Millis, PerSecond } from './units.js';

/** What belongs to one network namespace as a whole. */
export interface NamespaceReport {
  readonly namespace: Namespace;
  readonly counters?: Counters;
  readonly countersDelta?: Counters;
  readonly sysctls?: Sysctls;
}

/** Of all that was looked at, by the kernel's counters; absent where they, or a look before, are not known. */
export interface ReportRates {
  /** Connections that came in and reached an accept queue: PassiveOpens. */
  readonly newPerSecond?: PerSecond;
  /** Connects that were begun from here: ActiveOpens, refused ones too. */
  readonly openedPerSecond?: PerSecond;
  readonly overflowsPerSecond?: PerSecond;
}

/** Everything that one refresh says; table, JSON, lines and screen are made from this and nothing else. */
export interface Report {
  readonly origin: Origin;
  /** Time since the look before; absent on the first, or where there is only one. */
  readonly windowMs?: Millis;
  /** Worst first. */
  readonly listeners: readonly ListenerReport[];
  /** The newest table and its age: under load `all` is older than the listeners. */
  readonly sockets?: { readonly table: SocketTable; readonly ageMs: Millis; readonly complete: boolean };
  readonly counters?: Counters;
  readonly countersDelta?: Counters;
  readonly sysctls?: Sysctls;
  /** With `--netns`: each that was looked into. `counters` and `sysctls` above are those of the namespace of `origin`. */
  readonly namespaces?: readonly NamespaceReport[];
  readonly rates: ReportRates;
  /** How connections were used in the last 30 to 60 s (`live`); absent where they are not followed. */
  readonly pools?: PoolsAtLook['pools'];
  /** By row of `sockets`. */
  readonly poolOfRow?: PoolsAtLook['poolOfRow'];
  /** Connections that ended; absent where nobody tells of them. */
  readonly closed?: ClosedReport;
  /** Findings that belong to no listener: SYN cookies of the namespace, owners hidden, UDP drops. */
  readonly findings: readonly Finding[];
  readonly alerts: readonly Alert[];
  readonly events: readonly AlertEvent[];
  /** What came, went or changed hands since the look before: good to know, and no trouble. Absent: nothing. */
  readonly changes?: readonly Change[];
  readonly gaps: readonly Gap[];
  readonly pace: {
    readonly intervalMs?: Millis;
    readonly tookMs: Millis;
    readonly skippedTicks: number;
    /** Set where a recording is shown. */
    readonly replay?: ReplayPosition;
    /** Set while the source fails: the data are the last good ones. */
    readonly fault?: { readonly why: string; readonly remedy?: string; readonly sinceMs: Millis };
  };
}
