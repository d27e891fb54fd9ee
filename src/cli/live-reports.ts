import type { Change } from '../model/changes.js';
import type { AlertEvent } from '../model/findings.js';
import type { ListenerReport } from '../model/listener.js';
import type { Gap } from '../model/observation.js';
import type { Report } from '../model/report.js';

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
}

/** Decides which events of alerts belong to what is shown; an alert that was shown is shown to its end. */
export class EventFilter {
  private readonly shown = new Set<string>();
  /** Ids of those in which a listener was shown. */
  private readonly namespaces = new Set<string>();

  constructor(private readonly filter: Shows | undefined) {}

  /** Events of listeners that match, of the host, and of alerts that were let through before. */
  select({ events, listeners }: Report): readonly AlertEvent[] {
    if (this.filter === undefined) return events;
    const hidden = new Set<string>();
    for (const report of listeners) {
      if (!this.filter.matchesListener(report)) hidden.add(report.listener.key);
    }
    return events.filter((event) => this.lets(event, hidden));
  }

  /** Those of listeners that match, and of namespaces in which one is or was shown. */
  selectChanges(
    changes: readonly Change[],
    hidden: ReadonlySet<string>,
    shown: readonly ListenerReport[],
  ): readonly Change[] {
    for (const { listener } of shown) if (listener.netns !== undefined) this.namespaces.add(listener.netns);
    return changes.filter(({ kind, subject }) =>
      kind === 'namespace' ? this.namespaces.has(subject) : !hidden.has(subject),
    );
  }

  private lets({ phase, alert }: AlertEvent, hidden: ReadonlySet<string>): boolean {
    const known = this.shown.delete(alert.id);
    const shows = known || (phase === 'raised' && !hidden.has(alert.finding.subject));
    if (shows && phase !== 'cleared') this.shown.add(alert.id);
    return shows;
  }
}

/** The report with only what the filter lets through: for outputs that have no filter of their own. */
export function narrowReport(report: Report, filter: Shows | undefined, events: EventFilter): Report {
  if (filter === undefined) return report;
  const hidden = new Set<string>();
  const listeners = report.listeners.filter((listener) => {
    const matches = filter.matchesListener(listener);
    if (!matches) hidden.add(listener.listener.key);
    return matches;
  });
  return {
    ...report,
    listeners,
    events: events.select(report),
    ...(report.changes && { changes: events.selectChanges(report.changes, hidden, listeners) }),
  };
}
