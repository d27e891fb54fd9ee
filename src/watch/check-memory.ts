import { statusOf } from '../analyze/ranges.js';
import {
  type CheckItem,
  type Measure,
  type News,
  STATUSES,
  type Status,
  worstStatus,
} from '../model/check.js';
import type { Since } from '../model/check-look.js';
import type { CheckState, KnownListener, Told } from '../model/check-state.js';
import { formatEndpoint } from '../model/endpoint.js';
import type { ListenerReport } from '../model/listener.js';
import { type Counters, isOtherMark, type Origin } from '../model/observation.js';
import type { Limits } from '../model/ranges.js';
import { counterDeltas, dropDelta } from './counters.js';

/** The counters that a later run compares with; the others would only make the file larger. */
const KEPT = [
  'ListenOverflows',
  'ListenDrops',
  'PassiveOpens',
  'ActiveOpens',
  'TCPReqQFullDoCookies',
  'TCPReqQFullDrop',
  'SyncookiesSent',
  'TCPTimeWaitOverflow',
  'TCPAbortOnMemory',
] as const;

/** What a namespace starts with. */
export const NEW: Pick<CheckState, 'counters' | 'listeners'> = {
  counters: Object.fromEntries(KEPT.map((name) => [name, 0])),
  listeners: new Map(),
};

export const COUNTER_FELL = 'a counter has gone down: this run is a new baseline';

/** What happened since the run before; a text says why nothing can be said of it: this run is a baseline. */
export function compareRuns(
  before: CheckState | undefined,
  origin: Origin,
  counters: Counters | undefined,
  listeners: readonly ListenerReport[],
): Since | string | undefined {
  if (before === undefined) return undefined;
  if (before.bootId !== origin.bootId) return 'the state is of another boot: this run is a new baseline';
  if (before.netns !== origin.netns)
    return 'the state is of another network namespace: this run is a new baseline';
  const windowMs = origin.monotonic - before.monotonic;
  if (windowMs < 0) return 'the state is from the future: this run is a new baseline';
  // The kernel gives the inode of a namespace that ended to the next one: it was made after the run before.
  const isNew = isOtherMark(before.netnsMark, origin.netnsMark);
  const known = isNew ? NEW : before;
  const now = keptCounters(counters);
  const deltas = counterDeltas(known.counters, now);
  if (deltas === undefined) return COUNTER_FELL;
  const drops = new Map<string, number>();
  for (const { listener } of listeners) {
    const { droppedSegments: dropped } = listener;
    if (dropped === undefined) continue;
    const then = known.listeners.get(listener.key);
    const isSame =
      then !== undefined && then.local === formatEndpoint(listener.local) && then.cookie === listener.cookie;
    // What is new was opened since: all that it has dropped is of this window.
    const delta = isSame ? dropDelta(then.drops, dropped) : dropped;
    if (delta !== undefined) drops.set(listener.key, delta);
  }
  return { windowMs, counters: deltas, drops, ...(isNew && { isNew }) };
}

export function keptCounters(counters: Counters | undefined): Counters {
  const kept: Record<string, number> = {};
  for (const name of KEPT) {
    const value = counters?.[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

export function keptListeners(listeners: readonly ListenerReport[]): ReadonlyMap<string, KnownListener> {
  const kept = new Map<string, KnownListener>();
  for (const { listener } of listeners) {
    const { key, local, cookie, droppedSegments: drops } = listener;
    if (drops === undefined) continue;
    kept.set(key, { local: formatEndpoint(local), ...(cookie !== undefined && { cookie }), drops });
  }
  return kept;
}

/** `--for k/n`: a trouble counts once k of the last n runs saw it, this one included. */
export interface Persistence {
  readonly least: number;
  readonly of: number;
}

export const AT_ONCE: Persistence = { least: 1, of: 1 };

export const itemKey = ({ metric, subject }: Pick<Measure, 'metric' | 'subject'>): string =>
  `${metric} ${subject}`;

/** Judges measures, each by its own history. */
export function judgeMeasures(
  measures: readonly Measure[],
  limitsOf: (measure: Measure) => { readonly limits: Limits; readonly isPercent: boolean },
  history: CheckState['history'],
  persistence: Persistence,
): CheckItem[] {
  return measures.map((measure) => {
    const { limits, isPercent } = limitsOf(measure);
    const raw = rawStatus(measure, limits, isPercent);
    const runs = [...(history.get(itemKey(measure)) ?? []), raw].slice(-persistence.of);
    return { ...measure, limits, raw, status: lasting(runs, raw, persistence) };
  });
}

function rawStatus({ value, unknown, capacity }: Measure, limits: Limits, isPercent: boolean): Status {
  if (unknown !== undefined) return 'unknown';
  if (value === undefined) return 'ok';
  if (!isPercent) return statusOf(value, limits);
  return capacity === undefined || capacity === 0 ? 'unknown' : statusOf((100 * value) / capacity, limits);
}

/** The worst status that enough of the runs have reached; what this run could not measure is unknown at once. */
function lasting(runs: readonly Status[], raw: Status, { least }: Persistence): Status {
  if (raw === 'unknown') return raw;
  for (const status of ['critical', 'warning'] as const) {
    const reached = runs.filter(
      (one) => one !== 'unknown' && STATUSES.indexOf(one) >= STATUSES.indexOf(status),
    );
    if (reached.length >= least) return status;
  }
  return 'ok';
}

/** What each measure said in the last runs, this one included. What is not measured any more is forgotten. */
export function nextHistory(
  items: readonly CheckItem[],
  history: CheckState['history'],
  persistence: Persistence,
): CheckState['history'] {
  if (persistence.of <= 1) return new Map();
  const next = new Map<string, readonly Status[]>();
  for (const item of items) {
    const runs = [...(history.get(itemKey(item)) ?? []), item.raw].slice(-persistence.of);
    if (runs.some((status) => status !== 'ok')) next.set(itemKey(item), runs);
  }
  return next;
}

const problemsOf = (items: readonly CheckItem[]): string[] =>
  items
    .filter(({ status }) => status !== 'ok')
    .map((item) => `${item.status} ${itemKey(item)}`)
    .sort();

/** Whether this run has something new to say, against what was printed last. */
export function newsOf(
  items: readonly CheckItem[],
  told: Told | undefined,
  now: number,
  renotifyMs: number | undefined,
): { readonly news: News; readonly told: Told } {
  const status = worstStatus(items.map((item) => item.status));
  const problems = problemsOf(items);
  const fresh = { status, problems, time: now };
  if (status === 'ok') {
    const wasTrouble = told !== undefined && told.status !== 'ok';
    return { news: wasTrouble ? 'recovered' : 'none', told: fresh };
  }
  const isSame =
    told !== undefined &&
    told.problems.length === problems.length &&
    told.problems.every((one, at) => one === problems[at]);
  if (!isSame) return { news: 'changed', told: fresh };
  // A clock that went back must not silence a problem.
  const age = now - told.time;
  const isDue = renotifyMs === undefined || age < 0 || age >= renotifyMs;
  return isDue ? { news: 'repeated', told: fresh } : { news: 'unchanged', told };
}
