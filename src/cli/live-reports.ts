import { HOST } from '../analyze/host-rules.js';
import type { Change } from '../model/changes.js';
import type { ClosedGroup, ClosedReport } from '../model/closed.js';
import type { Alert, AlertEvent } from '../model/findings.js';
import type { ListenerReport } from '../model/listener.js';
import type { Namespace } from '../model/namespace.js';
import type { Gap } from '../model/observation.js';
import type { Report } from '../model/report.js';
import { subjectOf } from '../watch/namespace-words.js';

/** Ends after `count` reports. */
export async function* takeReports(reports: AsyncIterable<Report>, count: number): AsyncGenerator<Report> {
  let left = count;
  for await (const report of reports) {
    yield report;
    if (--left <= 0) return;
  }
}

/** Shows each report to `look` before it goes on. */
export async function* tapReports(
  reports: AsyncIterable<Report>,
  look: (report: Report) => void,
): AsyncGenerator<Report> {
  for await (const report of reports) {
    look(report);
    yield report;
  }
}

/** Adds gaps that arose outside the collectors, each to one report. */
export async function* addGaps(
  reports: AsyncIterable<Report>,
  takeGaps: () => readonly Gap[],
): AsyncGenerator<Report> {
  for await (const report of reports) {
    const gaps = takeGaps();
    yield gaps.length === 0 ? report : { ...report, gaps: [...report.gaps, ...gaps] };
  }
}

export interface Shows {
  matchesListener(report: ListenerReport): boolean;
  matchesClosed?(group: ClosedGroup): boolean;
  /** `undefined`: it asks for no namespace. */
  meansNamespace?(namespace: Namespace): boolean | undefined;
}

/** What the filter said of a listener. */
interface Verdict {
  /** At the last look that showed it. */
  readonly last: boolean;
  /** At any look. */
  readonly ever: boolean;
  /** Monotonic, ms, and the number of that look. */
  readonly seen: number;
  readonly look: number;
}

/** What is said of a listener that is gone comes within so much time, and so many looks. */
const REMEMBER_MS = 60_000;
const REMEMBER_LOOKS = 5;

/**
 * Decides which events of alerts, and which changes, belong to what is shown; an alert that was shown is shown to its end. What is gone has no row
 * that could be asked: what the filter said of it before is remembered.
 */
export class EventFilter {
  private readonly shown = new Set<string>();
  /** Ids of those in which a listener was shown, and of those in which the last look showed one. */
  private readonly namespaces = new Set<string>();
  private present = new Set<string>();
  /** Of the last look, by id. */
  private known: ReadonlyMap<string, Namespace> = new Map();
  /** By key of the listener. */
  private readonly verdicts = new Map<string, Verdict>();
  private looks = 0;

  constructor(private readonly filter: Shows | undefined) {}

  /** Takes a report in, and gives events of listeners that match, of the host, and of alerts that were let through before. */
  select(report: Report): readonly AlertEvent[] {
    if (this.filter === undefined) return report.events;
    this.learn(report, this.filter);
    return report.events.filter((event) => this.lets(event));
  }

  /** Of a report that was taken in: those of listeners that match or did; of namespaces that the filter names, or else in which one is or was shown. */
  selectChanges(changes: readonly Change[]): readonly Change[] {
    return changes.filter((change) => {
      const { kind, subject, others = [], netns } = change;
      if (kind === 'namespace') return this.showsNamespace(change);
      if (subject === HOST) return netns === undefined || this.namespaces.has(netns);
      return [subject, ...others].some((key) => this.verdicts.get(key)?.ever === true);
    });
  }

  private showsNamespace({ namespace, subject, isEnd }: Change): boolean {
    const isShown = this.namespaces.has(subject);
    // The next one may get the id of one that went.
    if (isEnd && !this.present.has(subject)) this.namespaces.delete(subject);
    return this.means(namespace) ?? isShown;
  }

  /** `undefined`: the filter asks for no namespace, or it is not known which it is. */
  private means(namespace: Namespace | undefined): boolean | undefined {
    return namespace && this.filter?.meansNamespace?.(namespace);
  }

  private learn({ origin, listeners, namespaces = [] }: Report, filter: Shows): void {
    const now = namespaces.map(({ namespace }) => [namespace.id, namespace] as const);
    this.known = new Map(now);
    this.present = new Set();
    const look = ++this.looks;
    const seen = origin.monotonic;
    for (const report of listeners) {
      const { key, netns } = report.listener;
      const last = filter.matchesListener(report);
      this.verdicts.set(key, { last, ever: last || this.verdicts.get(key)?.ever === true, seen, look });
      if (last && netns !== undefined) this.present.add(netns);
    }
    for (const netns of this.present) this.namespaces.add(netns);
    if (this.verdicts.size === listeners.length) return;
    for (const [key, verdict] of this.verdicts)
      if (look - verdict.look > REMEMBER_LOOKS && seen - verdict.seen > REMEMBER_MS)
        this.verdicts.delete(key);
  }

  private lets({ phase, alert }: AlertEvent): boolean {
    const known = this.shown.delete(alert.id);
    const shows = known || (phase === 'raised' && this.showsSubject(alert));
    if (shows && phase !== 'cleared') this.shown.add(alert.id);
    return shows;
  }

  private showsSubject({ finding: { subject }, netns }: Alert): boolean {
    const isOfNamespace = netns !== undefined && subject === subjectOf(netns);
    if (isOfNamespace && this.means(this.known.get(netns)) === false) return false;
    return this.verdicts.get(subject)?.last !== false;
  }
}

/** The report with only what the filter lets through: for outputs that have no filter of their own. */
export function narrowReport(report: Report, filter: Shows | undefined, events: EventFilter): Report {
  if (filter === undefined) return report;
  return {
    ...report,
    listeners: report.listeners.filter((listener) => filter.matchesListener(listener)),
    events: events.select(report),
    ...(report.changes && { changes: events.selectChanges(report.changes) }),
    ...(report.closed && { closed: narrowClosed(report.closed, filter) }),
  };
}

/** Of several namespaces only the groups that were asked for; the sums stay those of all. */
function narrowClosed(closed: ClosedReport, filter: Shows): ClosedReport {
  if (closed.ofSeveral === undefined || filter.matchesClosed === undefined) return closed;
  return { ...closed, groups: closed.groups.filter((group) => filter.matchesClosed?.(group)) };
}
