import type { Namespace } from './namespace.js';
import type { Limits } from './ranges.js';
import type { WallMillis } from './units.js';

/** What `sockwatch check` can measure; the names of `--metric` and of perfdata. */
export const METRICS = [
  'accept-queue',
  'oldest-wait',
  'overflows',
  'dropped-segments',
  'syn-queue',
  'listener',
  'close-wait',
  'close-wait-age',
  'time-wait',
  'ephemeral-ports',
  'connections',
  'pool',
  'orphans',
  'tcp-memory',
  'syn-retries',
  'diagnosis',
] as const;
export type Metric = (typeof METRICS)[number];

/** In the order of their exit codes (OPS.md 1). */
export const STATUSES = ['ok', 'warning', 'critical', 'unknown'] as const;
export type Status = (typeof STATUSES)[number];
export const exitCodeOf = (status: Status): number => STATUSES.indexOf(status);

/** Which of two counts more: CRITICAL over WARNING over UNKNOWN over OK. */
const WEIGHT: Readonly<Record<Status, number>> = { ok: 0, unknown: 1, warning: 2, critical: 3 };
export const worstStatus = (statuses: Iterable<Status>): Status => {
  let worst: Status = 'ok';
  for (const status of statuses) if (WEIGHT[status] > WEIGHT[worst]) worst = status;
  return worst;
};

/** One measured number of one subject. */
export interface Measure {
  readonly metric: Metric;
  /** `0.0.0.0:443`, `nginx/812`, `10.0.0.9:3306`; empty for the whole network namespace. Raw. */
  readonly subject: string;
  /** In the unit of the metric; absent: could not be measured, `unknown` says why. */
  readonly value?: number;
  readonly unknown?: string;
  /** What `value` is a part of: limits are then percentages of it. */
  readonly capacity?: number;
  /** One phrase for people: `accept queue 129/129 (100%)`. */
  readonly text: string;
  /** Row of the listener in the table of sockets, whose owners belong to the text. */
  readonly row?: number;
  readonly advice?: string;
  /** Seen only between two looks: where a look saw as much, that says more. */
  readonly isMomentary?: true;
}

/** A measure, judged. */
export interface CheckItem extends Measure {
  readonly limits: Limits;
  /** What this run alone says. */
  readonly raw: Status;
  /** After `--for`: the status that counts. */
  readonly status: Status;
  /** `process/pid` of the listener, where it is known. Raw. */
  readonly owner?: string;
}

/** How the problems of this run relate to what was told before (`--renotify`). */
export const NEWS = ['changed', 'unchanged', 'repeated', 'recovered', 'none'] as const;
export type News = (typeof NEWS)[number];

/** Everything that one run of `check` says; all formats are made from it. */
export interface CheckResult {
  readonly status: Status;
  readonly time: WallMillis;
  readonly host: string;
  readonly netns?: string;
  readonly bootId?: string;
  readonly source: string;
  /** Looks that were taken, and over how long. */
  readonly samples: number;
  /** Since the run before, or else since the first of several looks; absent where this one is a baseline. */
  readonly windowMs?: number;
  /** The window began with the first look of this run. */
  readonly whileLooking?: true;
  /** Worst first. */
  readonly items: readonly CheckItem[];
  readonly news: News;
  /** With several namespaces: those that were made, and those that ended, since the run before. */
  readonly namespaces?: { readonly came: readonly Namespace[]; readonly went: readonly Namespace[] };
  /** What limits the judgement without changing it: a baseline, hidden owners, a state that could not be written. */
  readonly notes: readonly string[];
}
