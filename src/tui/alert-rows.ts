import { gapsToSay } from '../analyze/hidden-owners.js';
import type { Alert, Finding, Severity } from '../model/findings.js';
import { ownAdvice, severityRank } from '../model/findings.js';
import type { UiState } from './state.js';

/** One line of the alerts panel. */
export interface AlertRow {
  readonly kind: 'active' | 'acknowledged' | 'note' | 'past' | 'change';
  readonly severity: Severity;
  /** Wall clock, ms. */
  readonly time?: number | undefined;
  readonly subject: string;
  readonly message: string;
  readonly lastedMs?: number | undefined;
  readonly id?: string;
  /** Key of the listener that it is about, if it is about one. */
  readonly listener?: string;
}

/** What is wrong now, worst first; then notes on what cannot be seen; then what was acknowledged, and what is over. */
export function alertRows(state: UiState): AlertRow[] {
  const alerts = [...(state.report?.alerts ?? [])].sort(worstFirst);
  const isKnown = (alert: Alert) => state.acknowledged.has(alert.id);
  return [
    ...alerts.filter((alert) => !isKnown(alert)).map((alert) => alertRow('active', alert)),
    ...noteRows(state),
    ...alerts.filter(isKnown).map((alert) => alertRow('acknowledged', alert)),
    ...newestFirst([...pastRows(state), ...changeRows(state)]),
  ];
}

const worstFirst = (a: Alert, b: Alert): number =>
  severityRank(b.finding.severity) - severityRank(a.finding.severity) || b.changedAt - a.changedAt;

const messageOf = ({ message, causedBy }: Finding): string =>
  causedBy === undefined ? message : `${message} (because of ${causedBy})`;

const alertRow = (kind: 'active' | 'acknowledged', alert: Alert): AlertRow => ({
  kind,
  severity: alert.finding.severity,
  time: alert.changedAt,
  subject: alert.subjectText,
  message: messageOf(alert.finding),
  id: alert.id,
  listener: alert.finding.subject,
});

/** Findings without a listener that raised no alert, and what could not be read: said once, not at each refresh. */
function noteRows({ report }: UiState): AlertRow[] {
  if (report === undefined) return [];
  const alerted = new Set(report.alerts.map(({ finding }) => finding.rule + finding.subject));
  const isNew = ({ rule, subject }: Finding) => !alerted.has(rule + subject);
  return [
    ...report.findings.filter(isNew).map((finding) => ({
      kind: 'note' as const,
      severity: finding.severity,
      subject: '',
      message: [messageOf(finding), ownAdvice(finding) ?? []].flat().join(': '),
    })),
    ...gapsToSay(report).map(({ what, why }) => ({
      kind: 'note' as const,
      severity: 'info' as const,
      subject: what,
      message: why,
    })),
  ];
}

const newestFirst = (rows: readonly AlertRow[]): AlertRow[] =>
  [...rows].sort((a, b) => (b.time ?? 0) - (a.time ?? 0));

const changeRows = ({ changes }: UiState): AlertRow[] =>
  changes.map(({ time, subjectText, subject, message }) => ({
    kind: 'change',
    severity: 'info',
    time,
    subject: subjectText,
    message,
    listener: subject,
  }));

const pastRows = ({ log }: UiState): AlertRow[] =>
  log
    .filter(({ phase }) => phase === 'cleared')
    .map(({ alert, time, lastedMs }) => ({
      kind: 'past',
      severity: alert.finding.severity,
      time,
      subject: alert.subjectText,
      message: alert.finding.message,
      lastedMs,
      listener: alert.finding.subject,
    }));

/** Alerts that nobody has acknowledged, by severity. */
export function openAlerts(state: UiState): Readonly<Record<Severity, number>> {
  const counts = { info: 0, warning: 0, critical: 0 };
  for (const { id, finding } of state.report?.alerts ?? []) {
    if (!state.acknowledged.has(id)) counts[finding.severity]++;
  }
  return counts;
}
