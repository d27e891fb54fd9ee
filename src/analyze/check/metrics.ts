import type { Metric } from '../../model/check.js';

export interface MetricSpec {
  /** One phrase for help and the configuration template. */
  readonly says: string;
  /** Limits are percentages of the measure's capacity; else they are in the unit of the value. */
  readonly isPercent: boolean;
  readonly unit: 'connections' | 'segments' | 'seconds' | 'sockets' | 'ports' | 'pages' | 'severity';
  /** Limits where the user gives none; absent: it is measured and never alerts. */
  readonly warning?: string;
  readonly critical?: string;
  /** Which rows it needs: connections of all states, or only listeners and who waits. */
  readonly needs: 'listeners' | 'connections' | 'facts';
  /** The processes behind all rows. */
  readonly needsOwners?: true;
}

/** What each metric is; the order of help. */
export const METRIC_SPECS: Readonly<Record<Metric, MetricSpec>> = {
  'accept-queue': {
    says: 'fill of each accept queue, in percent of its capacity (backlog + 1)',
    isPercent: true,
    unit: 'connections',
    warning: '@70:',
    critical: '@90:',
    needs: 'listeners',
  },
  'oldest-wait': {
    says: 'seconds that the oldest connection has waited for accept(), per listener',
    isPercent: false,
    unit: 'seconds',
    critical: '@1:',
    needs: 'listeners',
  },
  overflows: {
    says: 'accept-queue overflows of the network namespace since the last run (ListenOverflows)',
    isPercent: false,
    unit: 'segments',
    warning: '0',
    needs: 'listeners',
  },
  'dropped-segments': {
    says: 'segments that a listener dropped since the last run, for any reason',
    isPercent: false,
    unit: 'segments',
    warning: '0',
    needs: 'listeners',
  },
  'syn-queue': {
    says: 'SYN-RECV of each listener, in percent of its backlog',
    isPercent: true,
    unit: 'connections',
    warning: '@80:',
    critical: '@100:',
    needs: 'listeners',
  },
  listener: {
    says: 'listeners that must be there (--expect)',
    isPercent: false,
    unit: 'sockets',
    critical: '1:',
    needs: 'listeners',
  },
  'close-wait': {
    says: 'CLOSE-WAIT connections that a process has accepted and not closed, per process',
    isPercent: false,
    unit: 'connections',
    warning: '100',
    critical: '1000',
    needs: 'connections',
    needsOwners: true,
  },
  'close-wait-age': {
    says: 'seconds since the last packet on the oldest CLOSE-WAIT connection, per process: it is at least that old',
    isPercent: false,
    unit: 'seconds',
    warning: '300',
    critical: '3600',
    needs: 'connections',
    needsOwners: true,
  },
  'time-wait': {
    says: 'TIME-WAIT of the network namespace',
    isPercent: false,
    unit: 'sockets',
    needs: 'facts',
  },
  'ephemeral-ports': {
    says: 'local ports in use towards one destination, in percent of ip_local_port_range',
    isPercent: true,
    unit: 'ports',
    warning: '@80:',
    critical: '@95:',
    needs: 'connections',
  },
  connections: {
    says: 'TCP connections: all, or by process, remote, state or listener (--by)',
    isPercent: false,
    unit: 'connections',
    needs: 'connections',
  },
  pool: {
    says: 'connections of one process to one remote address and port',
    isPercent: false,
    unit: 'connections',
    needs: 'connections',
    needsOwners: true,
  },
  orphans: {
    says: 'sockets that no process holds any more, of the whole host',
    isPercent: false,
    unit: 'sockets',
    needs: 'facts',
  },
  'tcp-memory': {
    says: 'pages of TCP buffers of the whole host, in percent of where memory pressure begins (tcp_mem)',
    isPercent: true,
    unit: 'pages',
    warning: '@80:',
    critical: '@100:',
    needs: 'facts',
  },
  'syn-retries': {
    says: 'connects that nobody has answered after a retry (SYN-SENT), per destination',
    isPercent: false,
    unit: 'connections',
    warning: '5',
    critical: '50',
    needs: 'connections',
  },
  diagnosis: {
    says: 'what sockwatch diagnose finds, the worst of each rule: 1 a warning, 2 critical; give it time with --samples 6 --every 1s',
    isPercent: false,
    unit: 'severity',
    warning: '@1:',
    critical: '@2:',
    needs: 'connections',
    needsOwners: true,
  },
};

/** What is checked where nothing else is asked for. */
export const DEFAULT_METRICS: readonly Metric[] = ['accept-queue', 'oldest-wait', 'overflows'];
