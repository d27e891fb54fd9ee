import { ownersHidden } from '../analyze/host-rules.js';
import { sortListeners } from '../analyze/sort.js';
import type { Change } from '../model/changes.js';
import type { ListenerReport } from '../model/listener.js';
import { type Container, containersIn, type Namespace } from '../model/namespace.js';
import type { NamespacesObservation, Origin } from '../model/observation.js';
import { ROW_POOL } from '../model/pools.js';
import type { NamespaceReport, Report } from '../model/report.js';

import { SocketTable } from '../model/table.js';
import { perSecond } from '../model/units.js';
import { advanceAlerts, byWeight, endAlerts, listAlerts } from './alerts.js';
import { mergeClosed } from './closed-of-all.js';
import { repeatReport } from './fault.js';
import { hiddenOwners } from './host.js';
import { shownSockets } from './kept-sockets.js';
import {
  alertOf,
  changeOf,
  findingOf,
  goneChange,
  listenersText,
  mergeGaps,
  textOf,
} from './namespace-words.js';
import { type KeptSockets, type Step, startWatch, type WatchState, windowOf } from './state.js';
import { type OneObservation, stepOne } from './step-one.js';

/** What one namespace said in one round. */
interface Part {
  readonly namespace: Namespace;
  readonly state: WatchState;
  readonly report: Report;
  /** Not our own: what is said of it names it. */
  readonly isForeign: boolean;
}

/** Steps each namespace by itself, and makes one report of all. */
export function stepNamespaces(state: WatchState, observation: NamespacesObservation): Step {
  const { origin, looks } = observation;
  const known = stillThere(state, looks);
  const parts = looks.map((look): Part => {
    const id = look.origin.netns ?? '';
    const namespace = look.namespace ?? { id };
    const before = known.get(id) ?? startWatch(state.config);
    const next = stepOne(before, look);
    return { namespace, ...next, isForeign: id !== origin.netns };
  });
  const namespaces = new Map(parts.map((part) => [part.namespace.id, part.state]));
  const sockets = joinSockets(state, parts);
  const gone = [...(state.namespaces ?? [])].filter(([id]) => !namespaces.has(id) || !known.has(id));
  const { book, events } = advanceAlerts(state.alerts, { ...whenOf(origin), ...NOTHING });
  const owners = state.config.oneLook ? undefined : hiddenOwners(state, observation.gaps);
  const merged = mergeReports(observation, parts, sockets);
  const windowMs = windowOf(state, origin);
  const changes = [
    // What comes may have the id of what went.
    ...gone.map(([id, { report: last }]) => goneChange(namespaceIn(last, id), last, origin)),
    ...(state.namespaces === undefined ? [] : comings(known, parts, origin)),
    ...(merged.changes ?? []),
  ];
  const report: Report = {
    ...merged,
    ...(windowMs !== undefined && { windowMs }),
    findings: [
      ...(owners === undefined ? [] : [ownersHidden(owners, hiddenIn(merged.listeners))]),
      ...merged.findings,
    ],
    alerts: [...listAlerts(book), ...merged.alerts].sort(byWeight),
    events: [...events, ...merged.events, ...gone.flatMap(([id, last]) => clearAll(id, last, origin))],
    ...(changes.length > 0 && { changes }),
  };
  const next: WatchState = {
    ...startWatch(state.config),
    origin,
    report,
    alerts: book,
    sockets,
    namespaces,
    ownersHidden: owners,
  };
  return { state: next, report };
}

/** Something of one namespace, or a fault of the look at all of them, between two rounds. */
export function stepWithin(state: WatchState, observation: OneObservation): Step {
  if (observation.kind !== 'gap' && observation.kind !== 'table') {
    const id = observation.origin.netns ?? '';
    const child = state.namespaces?.get(id);
    const namespaces = new Map(state.namespaces);
    // Of one that no look has told of nothing can be said.
    if (child !== undefined) namespaces.set(id, stepOne(child, observation).state);
    const report = repeatReport(state, observation.origin);
    return { state: { ...state, namespaces }, report: { ...report, alerts: state.report?.alerts ?? [] } };
  }
  const { namespaces, ...whole } = state;
  const stepped = stepOne(whole, observation);
  // A table alone: a recording, say, that went on with one namespace.
  if (observation.kind === 'table') return stepped;
  const ofOthers = (state.report?.alerts ?? []).filter(({ id: alert }) => !state.alerts.has(alert));
  const report = { ...stepped.report, alerts: [...stepped.report.alerts, ...ofOthers].sort(byWeight) };
  return { state: { ...stepped.state, namespaces, report: state.report }, report };
}

/** The kernel gives the inode of a namespace that went to the next one: where no mark tells, another name or other containers are another namespace. */
function stillThere(
  { namespaces }: WatchState,
  looks: NamespacesObservation['looks'],
): ReadonlyMap<string, WatchState> {
  const now = new Map(looks.map((look) => [look.origin.netns ?? '', look]));
  return new Map(
    [...(namespaces ?? [])].filter(([id, { report, origin }]) => {
      const [before, look] = [namespaceIn(report, id), now.get(id)];
      if (look?.namespace === undefined) return false;
      const { namespace: after } = look;
      const marks = [origin?.netnsMark, look.origin.netnsMark] as const;
      if (marks[0]?.[0] !== undefined && marks[0][0] === marks[1]?.[0]) return marks[0] === marks[1];
      return before.name === after.name && mayBeSame(containersIn(before), containersIn(after));
    }),
  );
}

/** Of a pod some come and go while it stays. */
function mayBeSame(before: readonly Container[], after: readonly Container[]): boolean {
  if (before.length === 0 || after.length === 0) return before.length === after.length;
  const ids = new Set(before.map(({ id }) => id));
  return after.some(({ id }) => ids.has(id));
}

const whenOf = ({ monotonic, time }: Origin) => ({ monotonic, time });
const NOTHING = { findings: [], holds: () => false, isGone: () => false };

const hiddenIn = (listeners: readonly ListenerReport[]): number =>
  listeners.filter(({ listener }) => listener.owners === undefined).length;

function mergeReports(
  { origin, tookMs, skippedTicks, gaps }: NamespacesObservation,
  parts: readonly Part[],
  sockets: KeptSockets | undefined,
): Report {
  const own = parts.find(({ isForeign }) => !isForeign)?.report;
  const { counters, countersDelta, sysctls } = own ?? {};
  const closed = mergeClosed(parts.flatMap(({ report }) => report.closed ?? []));
  return {
    origin,
    listeners: sortListeners(listenersOf(parts), 'trouble', true),
    ...(sockets !== undefined && { sockets: shownSockets(sockets, origin.monotonic) }),
    ...(counters !== undefined && { counters }),
    ...(countersDelta !== undefined && { countersDelta }),
    ...(sysctls !== undefined && { sysctls }),
    ...(closed !== undefined && { closed }),
    ...poolsOf(parts),
    namespaces: parts.map(namespaceReport),
    rates: sumRates(parts),
    findings: parts.flatMap((part) => part.report.findings.map((finding) => findingOf(part, finding))),
    alerts: parts.flatMap((part) => part.report.alerts.map((alert) => alertOf(part, alert))),
    events: parts.flatMap((part) =>
      part.report.events.map((event) => ({ ...event, alert: alertOf(part, event.alert) })),
    ),
    changes: parts.flatMap((part) => (part.report.changes ?? []).map((change) => changeOf(part, change))),
    gaps: mergeGaps(gaps, parts),
    pace: { tookMs, skippedTicks },
  };
}

/** Rows count from the beginning of the table of all. */
function listenersOf(parts: readonly Part[]): ListenerReport[] {
  let from = 0;
  return parts.flatMap(({ report, state }) => {
    const before = from;
    from += state.sockets?.table.length ?? 0;
    if (before === 0) return [...report.listeners];
    return report.listeners.map((one) => ({
      ...one,
      listener: { ...one.listener, row: one.listener.row + before },
    }));
  });
}

function namespaceReport({ namespace, report, state }: Part): NamespaceReport {
  const { sysctls, countersDelta } = report;
  return {
    namespace,
    ...(state.counters !== undefined && { counters: state.counters }),
    ...(countersDelta !== undefined && { countersDelta }),
    ...(sysctls !== undefined && { sysctls }),
  };
}

/** Of those whose pools were followed. */
function poolsOf(parts: readonly Part[]): Pick<Report, 'pools' | 'poolOfRow'> {
  const known = parts.flatMap(({ report }) => report.pools ?? []);
  if (parts.every(({ report }) => report.pools === undefined)) return {};
  const rowsOf = ({ state }: Part) => state.sockets?.table.length ?? 0;
  const poolOfRow = new Int32Array(parts.reduce((sum, part) => sum + rowsOf(part), 0)).fill(ROW_POOL.none);
  let [row, before] = [0, 0];
  for (const part of parts) {
    const { pools = [], poolOfRow: own = new Int32Array(0) } = part.report;
    for (let at = 0; at < own.length; at++) {
      const place = own[at] as number;
      poolOfRow[row + at] = place < 0 ? place : place + before;
    }
    row += rowsOf(part);
    before += pools.length;
  }
  return { pools: known, poolOfRow };
}

/** Of those that are known; unknown where none is. */
function sumRates(parts: readonly Part[]): Report['rates'] {
  const sum = (name: keyof Report['rates']) => {
    const known = parts.map(({ report }) => report.rates[name]).filter((rate) => rate !== undefined);
    return known.length === 0 ? undefined : perSecond(known.reduce((total, rate) => total + rate, 0));
  };
  const [came, opened, overflows] = [sum('newPerSecond'), sum('openedPerSecond'), sum('overflowsPerSecond')];
  return {
    ...(came !== undefined && { newPerSecond: came }),
    ...(opened !== undefined && { openedPerSecond: opened }),
    ...(overflows !== undefined && { overflowsPerSecond: overflows }),
  };
}

/** One table of all, made anew only when one of the parts is another. As old as the oldest of them. */
function joinSockets(
  { namespaces: before, sockets }: WatchState,
  parts: readonly Part[],
): KeptSockets | undefined {
  const kept = parts.flatMap(({ state }) => (state.sockets === undefined ? [] : [state.sockets]));
  if (kept.length === 0) return undefined;
  const tables = kept.map(({ table }) => table);
  const last = [...(before?.values() ?? [])].map((state) => state.sockets?.table);
  const isSame = last.length === tables.length && tables.every((table, at) => table === last[at]);
  return {
    table: isSame && sockets !== undefined ? sockets.table : SocketTable.join(tables),
    monotonic: Math.min(...kept.map(({ monotonic }) => monotonic)),
    complete: kept.every(({ complete }) => complete),
  };
}

function comings(
  before: ReadonlyMap<string, WatchState>,
  parts: readonly Part[],
  { time }: Origin,
): Change[] {
  return parts
    .filter(({ namespace }) => !before.has(namespace.id))
    .map(({ namespace, report }) => ({
      kind: 'namespace',
      time,
      netns: namespace.id,
      namespace,
      subject: namespace.id,
      subjectText: textOf(namespace),
      message: `came, with ${listenersText(report)}`,
      evidence: [],
    }));
}

const namespaceIn = (report: Report | undefined, id: string): Namespace =>
  report?.namespaces?.find(({ namespace }) => namespace.id === id)?.namespace ?? { id };

/** A namespace takes its alerts with it, and that is said of each. */
function clearAll(id: string, { alerts, report }: WatchState, origin: Origin): Report['events'] {
  const part = { namespace: namespaceIn(report, id), isForeign: true };
  return endAlerts(alerts, origin).map((event) => ({ ...event, alert: alertOf(part, event.alert) }));
}
