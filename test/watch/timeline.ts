import { DEFAULT_THRESHOLDS } from '../../src/analyze/thresholds.js';
import type { Counters, Observation, Sysctls } from '../../src/model/observation.js';
import type { Report } from '../../src/model/report.js';
import { startWatch, step, type WatchConfig } from '../../src/watch/step.js';
import { listen, look, type RowSpec, waiting } from '../support/table-builder.js';

export const OWNER = { pid: 812, fd: 6, name: 'nginx' };
export const SYSCTLS: Sysctls = { somaxconn: 4096, tcpSyncookies: 1 };

/** What one look finds at one listener of backlog 9 (capacity 10), `0.0.0.0:443`, inode 7, unless said otherwise. */
export interface QueueSpec {
  readonly length: number;
  readonly backlog?: number;
  readonly local?: string;
  readonly inode?: number;
  readonly drops?: number;
  /** How long each connection has waited; absent: one for each place, that came one after the other just now. */
  readonly waits?: readonly number[] | undefined;
}

export function queueRows(spec: QueueSpec): RowSpec[] {
  const { length, backlog = 9, local = '0.0.0.0:443', inode = 7, drops, waits } = spec;
  const columns = { inode, ...(drops !== undefined && { drops }) };
  const port = local.replace(/^.*:/, '');
  return [
    listen(local, [length, backlog], columns, { owners: [OWNER] }),
    ...(waits ?? []).map((waitedMs, n) => waiting(`10.0.0.1:${port}`, `10.0.0.9:${4000 + n}`, waitedMs)),
  ];
}

export interface LookSpec {
  readonly queues?: readonly QueueSpec[];
  readonly rows?: readonly RowSpec[];
  readonly counters?: Counters;
  readonly sysctls?: Sysctls;
  readonly observation?: Parameters<typeof look>[2];
}

/** A watch that is given one look after the other. */
export class Timeline {
  state;

  constructor(config: Partial<WatchConfig> = {}) {
    this.state = startWatch({ thresholds: DEFAULT_THRESHOLDS, ...config });
  }

  look(atMs: number, { queues = [], rows = [], counters, sysctls, observation }: LookSpec): Report {
    const table = [...queues.flatMap(queueRows), ...rows];
    return this.take(
      look(atMs, table, { ...(counters && { counters }), sysctls: sysctls ?? SYSCTLS, ...observation }),
    );
  }

  /** One listener of length `length`, with the counters of its namespace. */
  queue(atMs: number, spec: QueueSpec, counters?: Counters): Report {
    return this.look(atMs, { queues: [spec], ...(counters && { counters }) });
  }

  take(observation: Observation): Report {
    const next = step(this.state, observation);
    this.state = next.state;
    return next.report;
  }
}

/** `raised accept_queue_full critical` */
export const eventTexts = ({ events }: Report): string[] =>
  events.map(({ phase, alert }) => `${phase} ${alert.finding.rule} ${alert.finding.severity}`);

/** `critical accept_queue_full` */
export const findingTexts = ({ listeners }: Report): string[] =>
  listeners.flatMap(({ findings }) => findings.map(({ severity, rule }) => `${severity} ${rule}`));

export const alertTexts = ({ alerts }: Report): string[] =>
  alerts.map(({ finding }) => `${finding.severity} ${finding.rule}`);
