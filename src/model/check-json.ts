import type { Metric, News, Status } from './check.js';

/** One measured value and what it means. Absent: unknown. */
export interface CheckItemJson {
  metric: Metric;
  subject: string;
  owner?: string;
  value?: number;
  unit: string;
  capacity?: number;
  percent?: number;
  /** Ranges of the monitoring plugins; percentages of the capacity where `percent` is given. */
  warning?: string;
  critical?: string;
  status: Status;
  /** Of this run alone, where `--for` waits for more. */
  raw_status: Status;
  text: string;
  advice?: string;
}

/** A network namespace that came or went. */
export interface CheckNamespaceJson {
  /** Inode. */
  id: string;
  name?: string;
  /** Name of the container, else the first digits of its id. */
  container?: string;
  container_id?: string;
  pod?: string;
  unit?: string;
}

/** `sockwatch check --format json`. */
export interface CheckJson {
  schema: 'sockwatch.check/1';
  time: string;
  host: string;
  netns?: string;
  boot_id?: string;
  source: string;
  status: Status;
  exit_code: number;
  summary: string;
  samples: number;
  /** Since the run before; where none is known, since the first of several looks. */
  window_ms?: number;
  news: News;
  items: CheckItemJson[];
  /** `--netns all`, since the run before; absent where none is known. New ones are compared with zero. */
  namespaces?: { new: CheckNamespaceJson[]; gone: CheckNamespaceJson[] };
  notes: string[];
}
