import type { Severity } from '../../model/findings.js';
import type { ListenerReport } from '../../model/listener.js';
import { formatPercent } from '../../render/text.js';
import type { Glyphs } from '../glyphs.js';
import { type Line, type Role, span } from '../spans.js';

const PERCENT_WIDTH = 5;
export const roleOfSeverity = (severity: Severity | undefined, calm: Role = 'text'): Role =>
  severity === undefined || severity === 'info' ? calm : severity;

/**
 * `[█████░░▌░░]  50%`: the bar ends at 100 %, the number does not; the mark shows how high it was of late. Unknown is a bar of dots
 * and `?`.
 */
export function gauge(
  fill: number | undefined,
  severity: Severity | undefined,
  width: number,
  glyphs: Glyphs,
  peak = 0,
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
    ...track(full, filledCells(peak, cells), cells, peak >= 1, glyphs),
    span(']', 'dim'),
    span(' '.repeat(Math.max(0, PERCENT_WIDTH - percent.length))),
    span(percent, roleOfSeverity(severity)),
  ];
}

/** What the bar leaves empty, with the mark of the peak where that is above the bar. */
function track(full: number, peak: number, cells: number, wasFull: boolean, glyphs: Glyphs): Line {
  if (peak <= full) return [span(glyphs.track.repeat(cells - full), 'faint')];
  return [
    span(glyphs.track.repeat(peak - full - 1), 'faint'),
    span(glyphs.mark, wasFull ? 'warning' : 'dim'),
    span(glyphs.track.repeat(cells - peak), 'faint'),
  ];
}

/** How long a mark stays after a peak. */
const HELD_MS = 10_000;

/** The highest fill of late; 0 where there is no history or no limit. */
export function recentFill({ listener, window }: ListenerReport): number {
  const { capacity } = listener.acceptQueue;
  if (capacity === undefined || window === undefined) return 0;
  let highest = 0;
  // The newest last.
  for (let at = window.history.length - 1; at >= 0; at--) {
    const [msBefore, length] = window.history[at] as readonly [number, number];
    if (msBefore > HELD_MS) break;
    if (length > highest) highest = length;
  }
  return highest / capacity;
}

/** One waiting connection is seen, and only a full queue fills the bar. */
function filledCells(fill: number, cells: number): number {
  if (fill <= 0) return 0;
  return fill >= 1 ? cells : Math.max(1, Math.min(cells - 1, Math.floor(fill * cells)));
}
