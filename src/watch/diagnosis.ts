import { judgePools } from '../analyze/pools.js';
import type { ClosedGroup, ClosedReport } from '../model/closed.js';
import type { DiagnosisFacts, ProcessDescriptors } from '../model/diagnosis.js';
import { type Finding, severityRank } from '../model/findings.js';
import type { ListenerReport } from '../model/listener.js';
import type { Counters, Gap, Observation, Origin } from '../model/observation.js';
import type { RouteFacts } from '../model/routes.js';
import { type Millis, millis } from '../model/units.js';
import { ConnectionWatch, type RowFilter } from './connections.js';
import { counterDeltas } from './counters.js';
import { DropTotals } from './drop-totals.js';
import { PoolWatch } from './pools.js';
import { startWatch, step, type WatchConfig, type WatchState } from './step.js';

/** Which connections and listeners count; absent: all. */
export interface DiagnosisFilter extends RowFilter {
  matchesListener(report: ListenerReport): boolean;
  /** Absent: what ended cannot be told apart. */
  matchesClosed?(group: ClosedGroup): boolean;
}

/** What is read beside the sockets. */
export interface Beside {
  readonly descriptors?: readonly ProcessDescriptors[];
  readonly routes?: RouteFacts;
}

/** Everything that `diagnose` watches, over the same looks: listeners, pools, single connections, counters. */
export class DiagnosisWatch {
  private readonly pools: PoolWatch;
  private readonly connections: ConnectionWatch;
  private state: WatchState;
  private first: { readonly origin: Origin; readonly counters: Counters | undefined } | undefined;
  private stack: DiagnosisFacts['stack'];
  private looks = 0;
  /** Of all listeners that any look has shown. */
  private readonly listenerKeys = new Set<string>();
  private readonly totals = new DropTotals();
  private readonly worst = new Map<string, { readonly finding: Finding; readonly look: number }>();
  private readonly gaps = new Map<string, Gap>();

  constructor(
    config: WatchConfig,
    private readonly filter?: DiagnosisFilter,
  ) {
    this.pools = new PoolWatch(filter);
    this.connections = new ConnectionWatch(filter);
    this.state = startWatch(config);
  }

  take(observation: Observation): void {
    this.pools.take(observation);
    this.connections.take(observation);
    const { state, report } = step(this.state, observation);
    this.state = state;
    if (observation.kind !== 'table') return;
    this.looks++;
    if (observation.stack !== undefined)
      this.stack = { first: this.stack?.first ?? observation.stack, last: observation.stack };
    this.first ??= { origin: observation.origin, counters: observation.counters };
    for (const gap of report.gaps) this.gaps.set(`${gap.what}\0${gap.why}`, gap);
    for (const { listener } of report.listeners) this.listenerKeys.add(listener.key);
    this.totals.take(observation, (row) => this.filter === undefined || this.filter.matchesRow(row));
    for (const finding of report.findings.filter((one) => !isOfCounters(one))) this.keepWorst(finding);
    for (const { findings } of report.listeners) for (const finding of findings) this.keepWorst(finding);
  }

  /** Pids whose descriptors matter: owners of listeners and connections. */
  pids(): ReadonlyMap<number, string> {
    const names = new Map<number, string>();
    for (const { listener } of this.listeners())
      for (const { pid, name } of listener.owners ?? []) names.set(pid, name);
    for (const { owner } of this.pools.report()?.pools ?? [])
      if (typeof owner === 'object') names.set(owner.pid, owner.name);
    return names;
  }

  /** Connects are under way whose SYN was sent again, or ended without having been established. */
  get hasUnanswered(): boolean {
    return this.connections
      .seen(undefined)
      .connecting.some(({ everRetried, gone }) => everRetried + gone > 0);
  }

  /** `undefined` before the first complete look. */
  facts({ descriptors, routes }: Beside = {}): DiagnosisFacts | undefined {
    const { first, state, stack } = this;
    const pools = this.pools.report();
    if (first === undefined || state.report === undefined || pools === undefined) return undefined;
    const { origin, counters, closed } = state.report;
    const deltas = counterDeltas(first.counters, counters);
    const seen = this.connections.seen(stack?.last.portRange);
    const watchedMs = millis(origin.monotonic - first.origin.monotonic);
    return {
      origin,
      watchedMs,
      looks: this.looks,
      listeners: this.listeners().map((report) => ({
        ...report,
        findings: this.worstOf(report.listener.key, watchedMs),
      })),
      host: [
        ...this.worstOf(undefined, watchedMs, this.listenerKeys),
        ...this.totals.findings(deltas, state.report.sysctls, watchedMs),
      ],
      pools: judgePools(pools, {
        descriptors: new Map((descriptors ?? []).map(({ owner, ...files }) => [owner.pid, files])),
      }),
      seen,
      ...(deltas !== undefined && this.looks > 1 && { counters: deltas }),
      ...(stack && { stack }),
      ...(descriptors && { descriptors }),
      ...(routes && { routes }),
      ...this.endings(closed),
      ...(this.filter && { filtered: true as const }),
      gaps: this.allGaps(pools.gaps, seen.notFollowed),
    };
  }

  private endings(closed: ClosedReport | undefined): Pick<DiagnosisFacts, 'closed'> {
    const { filter } = this;
    if (closed === undefined || filter === undefined) return closed === undefined ? {} : { closed };
    if (filter.matchesClosed === undefined) return {};
    return { closed: { ...closed, groups: closed.groups.filter((group) => filter.matchesClosed?.(group)) } };
  }

  private listeners(): readonly ListenerReport[] {
    const { filter } = this;
    const all = this.state.report?.listeners ?? [];
    return filter === undefined ? all : all.filter((report) => filter.matchesListener(report));
  }

  private keepWorst(finding: Finding): void {
    this.totals.note(finding);
    const key = `${finding.rule}\0${finding.subject}`;
    const known = this.worst.get(key);
    if (known !== undefined && severityRank(known.finding.severity) > severityRank(finding.severity)) return;
    this.worst.set(key, { finding, look: this.looks });
  }

  /** Of one subject; without one, of all that are no listeners. */
  private worstOf(
    subject: string | undefined,
    watchedMs: Millis,
    not: ReadonlySet<string> = new Set(),
  ): Finding[] {
    const isAsked = (finding: Finding) =>
      subject === undefined ? !not.has(finding.subject) : finding.subject === subject;
    return [...this.worst.values()]
      .filter(({ finding }) => isAsked(finding))
      .map(
        ({ finding, look }) =>
          this.totals.of(finding, watchedMs) ??
          (look === this.looks
            ? finding
            : { ...finding, message: `${finding.message} (at an earlier look)` }),
      );
  }

  private allGaps(pools: readonly Gap[], notFollowed: number): Gap[] {
    for (const gap of pools) this.gaps.set(`${gap.what}\0${gap.why}`, gap);
    const gaps = [...this.gaps.values()];
    if (notFollowed === 0) return gaps;
    return [...gaps, { what: 'connections', why: `${notFollowed} were not followed: there are too many` }];
  }
}

/** They are judged from the first look to the last. Of listeners a SYN queue is full at a look. */
const isOfCounters = ({ rule }: Finding): boolean =>
  rule === 'udp_drops' || rule === 'syn_cookies' || rule === 'syn_queue_full';
