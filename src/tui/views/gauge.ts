import type { Severity } from '../../model/findings.js';
import { formatPercent } from '../../render/text.js';
import type { Glyphs } from '../glyphs.js';
import { type Line, type Role, span } from '../spans.js';

const PERCENT_WIDTH = 5;
export const roleOfSeverity = (severity: Severity | undefined, calm: Role = 'text'): Role =>
  severity === undefined || severity === 'info' ? calm : severity;

/** `[█████░░░░░]  50%`: the bar ends at 100 %, the number does not. Unknown is a bar of dots and `?`. */
export function gauge(
  fill: number | undefined,
  severity: Severity | undefined,
  width: number,
  glyphs: Glyphs,
): Line {
  const cells = Math.max(1, width - PERCENT_WIDTH - 2);
  if (fill === undefined) {
    return [span(`[${glyphs.dot.repeat(cells)}]`, 'dim'), span('?'.padStart(PERCENT_WIDTH), 'dim')];
  }
  const full = filledCells(fill, cells);
  const role = severity === 'critical' ? 'alarm' : roleOfSeverity(severity, 'fill');
  const percent = formatPercent(fill);
  return [
    span('[', 'dim'),
    span(glyphs.full.repeat(full), role),
    span(glyphs.track.repeat(cells - full), 'faint'),
    span(']', 'dim'),
    span(' '.repeat(Math.max(0, PERCENT_WIDTH - percent.length))),
    span(percent, roleOfSeverity(severity)),
  ];
}

/** One waiting connection is seen, and only a full queue fills the bar. */
function filledCells(fill: number, cells: number): number {
  if (fill <= 0) return 0;
  return fill >= 1 ? cells : Math.max(1, Math.min(cells - 1, Math.floor(fill * cells)));
}
