import { count } from '../analyze/words.js';
import type { ClosedGroup, ClosedRecent, ClosedReport } from '../model/closed.js';
import type { Listener } from '../model/listener.js';
import type { Namespace } from '../model/namespace.js';
import type { ClosedObservation, Counters, Gap, TableObservation } from '../model/observation.js';
import { type Millis, millis, type PerSecond, perSecond } from '../model/units.js';
import type { Around, TableBefore } from './closed/batch.js';
import { BatchAdder, type Group, type Groups, type ListenerCount } from './closed/book.js';
import { ListenerEnds } from './closed/listener-ends.js';
import { MPTCP_MAY_BE, mptcpUse } from './closed/mptcp.js';

/** So many rows wait for the next table at most: without one they are judged by what is known. */
const MOST_PENDING = 100_000;

interface Totals {
  readonly inbound: number;
  readonly outbound: number;
  readonly failedConnects: number;
  readonly failedWithoutDestination: number;
  readonly unconnected: number;
  readonly notShown: number;
  /** `undefined`: some, and nobody counts them. */
  readonly lost: number | undefined;
  readonly incomplete: boolean;
}

/** Connections that ended, as far as they were told. A value. */
export interface ClosedState {
  readonly from: 'netlink' | 'ss';
  readonly sinceAt: number;
  readonly pending: readonly ClosedObservation[];
  readonly groups: Groups;
  readonly totals: Totals;
  /** Listeners of the last look: connections outlive them. */
  readonly listeners: readonly Listener[];
  /** As of the last report: rates count from there. */
  readonly reported: { readonly groups: Groups; readonly totals: Totals };
  readonly gaps: readonly Gap[];
}

const NOTHING: Totals = {
  inbound: 0,
  outbound: 0,
  failedConnects: 0,
  failedWithoutDestination: 0,
  unconnected: 0,
  notShown: 0,
  lost: 0,
  incomplete: false,
};

/** Keeps a batch until the next table tells more of it. `listeners`: of the last look. */
export function keepClosed(
  state: ClosedState | undefined,
  observation: ClosedObservation,
  before: TableBefore | undefined,
  listeners: readonly Listener[],
): ClosedState {
  const { origin, spanMs } = observation;
  const start: ClosedState = state ?? {
    from: origin.source === 'ss' ? 'ss' : 'netlink',
    sinceAt: origin.monotonic - spanMs,
    pending: [],
    groups: new Map(),
    totals: NOTHING,
    listeners,
    reported: { groups: new Map(), totals: NOTHING },
    gaps: [],
  };
  const next = {
    ...start,
    pending: [...start.pending, observation],
    gaps: mergeGaps(start.gaps, observation),
  };
  const rows = next.pending.reduce((sum, { sockets }) => sum + sockets.length, 0);
  if (rows < MOST_PENDING) return next;
  const around = { before, after: undefined, lacksTimeWait: true, mptcp: MPTCP_MAY_BE };
  return settleClosed(next, { ...around, listeners: [] }).state;
}

/** What happened to connections at one listener in the window. */
export type ClosedAtListeners = ReadonlyMap<string, ListenerCount>;

interface Settled {
  readonly state: ClosedState;
  readonly listeners: ClosedAtListeners;
}

/** Judges what has come since the last table by the tables on both sides. */
function settleClosed(
  state: ClosedState,
  { listeners, ...around }: Omit<Around, 'ends'> & { readonly listeners: readonly Listener[] },
): Settled {
  const last = state.pending.at(-1);
  const known = new Set(listeners.map(({ key }) => key));
  const gone = state.listeners.filter(({ key }) => !known.has(key));
  const kept = listeners.length === 0 ? state.listeners : [...listeners];
  if (last === undefined) return { state: { ...state, listeners: kept }, listeners: new Map() };
  const ends = new ListenerEnds([...listeners, ...gone]);
  const adder = new BatchAdder(state.groups, last.origin.monotonic);
  for (const observation of state.pending) adder.add(observation, { ...around, ends });
  const added = adder.end();
  const totals = state.pending.reduce(addCounts, {
    ...state.totals,
    inbound: state.totals.inbound + added.inbound,
    outbound: state.totals.outbound + added.outbound,
    failedConnects: state.totals.failedConnects + added.failedConnects,
    notShown: state.totals.notShown + added.notShown,
  });
  return {
    state: { ...state, pending: [], groups: added.groups, totals, listeners: kept },
    listeners: added.listeners,
  };
}

const addCounts = (totals: Totals, observation: ClosedObservation): Totals => ({
  ...totals,
  failedConnects: totals.failedConnects + observation.failedConnects,
  failedWithoutDestination: totals.failedWithoutDestination + observation.failedConnects,
  unconnected: totals.unconnected + observation.unconnected,
  lost:
    totals.lost === undefined || (observation.incomplete && observation.lost === undefined)
      ? undefined
      : totals.lost + (observation.lost ?? 0),
  incomplete: totals.incomplete || observation.incomplete,
});

function mergeGaps(gaps: readonly Gap[], observation: ClosedObservation): readonly Gap[] {
  const fresh = observation.gaps.filter(
    ({ what, why }) => !gaps.some((one) => one.what === what && one.why === why),
  );
  return fresh.length === 0 ? gaps : [...gaps, ...fresh].slice(-10);
}

export interface FollowedClosed {
  readonly state: ClosedState | undefined;
  readonly report: ClosedReport | undefined;
  readonly listeners: ClosedAtListeners;
  /** Those that came in and ended in the window, through whatever listener. */
  readonly inbound: number;
  /** Whether anybody told of this window. */
  readonly isTold: boolean;
  /** Whether the counts of new connections hold for the window: the table before was the look before. */
  readonly countsNew: boolean;
  readonly gaps: readonly Gap[];
}

/** The connections that ended up to this look. */
export function followClosed(
  state: ClosedState | undefined,
  before: TableBefore | undefined,
  { origin, scope, sockets, namespace, counters }: TableObservation,
  listeners: readonly Listener[],
  windowMs: Millis | undefined,
  deltas: Counters | undefined,
): FollowedClosed {
  if (state === undefined)
    return {
      state,
      report: undefined,
      listeners: new Map(),
      inbound: 0,
      isTold: false,
      countsNew: false,
      gaps: [],
    };
  const settled = settleClosed(state, {
    before,
    after: scope === 'all' ? sockets : undefined,
    lacksTimeWait: (deltas?.TCPTimeWaitOverflow ?? 1) > 0,
    mptcp: mptcpUse(counters),
    listeners,
  });
  const { groups, totals } = settled.state;
  // A silent window is none in which nothing ended: whoever listens tells of every window.
  const isTold = state.pending.length > 0 || state.totals !== state.reported.totals;
  const wasLook = windowMs !== undefined && before?.monotonic === origin.monotonic - windowMs;
  return {
    state: { ...settled.state, reported: { groups, totals } },
    report: reportOf(
      settled.state,
      { monotonic: origin.monotonic, namespace },
      isTold ? windowMs : undefined,
    ),
    isTold,
    listeners: settled.listeners,
    inbound: totals.inbound - state.reported.totals.inbound,
    countsNew: isTold && wasLook && before?.complete === true,
    gaps: [...state.gaps, ...lossGap(settled.state)],
  };
}

/** Of ss it is said anyway that it does not tell what it misses. */
function lossGap({ from, totals: { lost, incomplete } }: ClosedState): Gap[] {
  if (from === 'ss' || !incomplete || lost === 0) return [];
  const many = lost === undefined ? 'an unknown number of events was' : events(lost);
  return [{ what: 'connections that ended', why: `${many} lost: the numbers are lower bounds` }];
}

const events = (lost: number): string => (lost === 1 ? '1 event was' : `${count(lost)} events were`);

function reportOf(
  { groups, totals, from, sinceAt, reported: { groups: groupsBefore, totals: before } }: ClosedState,
  at: SeenAt,
  windowMs: Millis | undefined,
): ClosedReport {
  const perWindow = (now: number, then: number): PerSecond | undefined =>
    windowMs === undefined ? undefined : perSecond(((now - then) * 1000) / windowMs);
  const rate = <Name extends string>(name: Name, now: number, then: number) => {
    const value = perWindow(now, then);
    return (value === undefined ? {} : { [name]: value }) as { [K in Name]?: PerSecond };
  };
  const closed = totals.inbound + totals.outbound;
  const lost = totals.lost;
  return {
    from,
    sinceMs: millis(Math.max(0, at.monotonic - sinceAt)),
    groups: [...groups.values()].map(
      (group) =>
        new GroupView(
          group,
          at,
          perWindow(group.tally.closed, groupsBefore.get(group.id)?.tally.closed ?? 0),
        ),
    ),
    closed,
    ...rate('closedPerSecond', closed, before.inbound + before.outbound),
    inbound: totals.inbound,
    outbound: totals.outbound,
    failedConnects: totals.failedConnects,
    ...rate('failedConnectsPerSecond', totals.failedConnects, before.failedConnects),
    failedWithoutDestination: totals.failedWithoutDestination,
    unconnected: totals.unconnected,
    ...(lost !== undefined && { lost }),
    ...(lost !== undefined && before.lost !== undefined && { lostInWindow: lost - before.lost }),
    incomplete: totals.incomplete,
    notShown: totals.notShown,
  };
}

/** When, and in which namespace where it was asked for. */
interface SeenAt {
  readonly monotonic: number;
  readonly namespace: Namespace | undefined;
}

/** A group as reports show it. Its distributions are made when somebody looks at them: there may be thousands of groups. */
class GroupView implements ClosedGroup {
  readonly id;
  readonly direction;
  readonly end;
  readonly owners;
  readonly ownersOf;
  readonly closed;
  readonly refused;
  readonly unanswered;
  readonly closedPerSecond?: PerSecond;
  readonly namespace?: Namespace;
  private made: ClosedRecent | undefined;

  constructor(
    private readonly group: Group,
    private readonly at: SeenAt,
    rate: PerSecond | undefined,
  ) {
    const { tally } = group;
    // The same address may be a listener in each of them.
    this.id = at.namespace === undefined ? group.id : `${at.namespace.id} ${group.id}`;
    if (at.namespace !== undefined) this.namespace = at.namespace;
    this.direction = group.direction;
    this.end = group.end;
    this.owners = group.owners;
    this.ownersOf = group.ownersOf;
    this.closed = tally.closed;
    this.refused = tally.refused;
    this.unanswered = tally.unanswered;
    if (rate !== undefined) this.closedPerSecond = rate;
  }

  get recent(): ClosedRecent {
    this.made ??= this.group.tally.recent(this.at.monotonic);
    return this.made;
  }
}
