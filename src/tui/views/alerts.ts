import { markOf } from '../../render/style.js';
import { cleanText, formatDuration } from '../../render/text.js';
import { type AlertRow, alertRows } from '../alert-rows.js';
import type { Rect } from '../layout.js';
import { fit, type Line, line, onGround, type Role, type Span, span } from '../spans.js';
import type { UiState } from '../state.js';
import { formatClock } from './format.js';
import { roleOfSeverity } from './gauge.js';
import { pane } from './pane.js';

const WORDS = { critical: 'CRIT', warning: 'WARN', info: 'INFO' } as const;

export function alertsPane(state: UiState, rect: Rect): Line[] {
  const { glyphs, alertCursor } = state;
  const rows = alertRows(state);
  const focused = state.focus === 'alerts';
  const visible = rows.slice(alertCursor.top, alertCursor.top + Math.max(0, rect.height - 2));
  const body = visible.map((row, at) => {
    const selected = focused && alertCursor.top + at === alertCursor.index;
    const full = fit(
      [span(selected ? '>' : ' ', 'focus'), ...rowSpans(row)],
      rect.width - 2,
      glyphs.ellipsis,
    );
    return selected ? onGround(full, 'selected') : full;
  });
  return pane(rows.length === 0 ? [line('  Nothing to report.', 'dim')] : body, {
    width: rect.width,
    height: rect.height,
    focused,
    glyphs,
    title: [span('5 Alerts', focused ? 'focus' : 'title'), span(` ${summary(rows)}`)],
    note: noteOf(rows),
  });
}

function summary(rows: readonly AlertRow[]): string {
  const count = (wanted: AlertRow['kind']) => rows.filter(({ kind }) => kind === wanted).length;
  const known = count('acknowledged');
  return `${count('active')} active${known > 0 ? `, ${known} acknowledged` : ''}`;
}

const noteOf = (rows: readonly AlertRow[]): Line =>
  rows.some(({ kind }) => kind === 'active') ? [span('a: acknowledge', 'dim')] : [];

function rowSpans(row: AlertRow): Span[] {
  const isLoud = row.kind === 'active' || row.kind === 'note';
  const role: Role = isLoud ? roleOfSeverity(row.severity, 'info') : 'dim';
  const mark = row.kind === 'active' ? markOf(row.severity) : row.kind === 'acknowledged' ? 'ok' : '';
  const subject = row.subject === '' ? '' : `${cleanText(row.subject)} `;
  return [
    span(mark, role),
    span(' '.repeat(3 - mark.length)),
    span(row.time === undefined ? ' '.repeat(8) : formatClock(row.time), 'dim'),
    span(' '),
    span(wordOf(row), role),
    span(' '),
    span(subject, isLoud ? 'title' : 'dim'),
    span(cleanText(row.message), isLoud ? 'text' : 'dim'),
    span(endOf(row), 'dim'),
  ];
}

const wordOf = ({ kind, severity }: AlertRow): string =>
  kind === 'past' ? 'over' : kind === 'change' ? 'news' : WORDS[severity];

function endOf({ kind, lastedMs }: AlertRow): string {
  if (kind === 'acknowledged') return '  (acknowledged)';
  return lastedMs === undefined ? '' : `  after ${formatDuration(lastedMs)}`;
}
