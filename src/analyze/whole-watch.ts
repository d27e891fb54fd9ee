import type { Evidence, Finding } from '../model/findings.js';
import { evidence } from './evidence.js';
import { HOST } from './host-rules.js';
import { count, counted, duration } from './words.js';

/** Segments over a whole watch, at the looks that told of them. */
export interface SegmentTotals {
  readonly overflows: number;
  readonly dropped: number;
}

/**
 * What a look found by counters, said of the whole watch: of several windows none alone says how much was lost. Other findings are given back as
 * they are; `undefined` of those.
 */
export function overWholeWatch(finding: Finding, totals: SegmentTotals, ms: number): Finding | undefined {
  const message = messageOf(finding, totals, ms);
  if (message === undefined) return undefined;
  return { ...finding, message, evidence: evidenceOf(finding, totals, ms) };
}

function messageOf(
  { rule, subject, message }: Finding,
  { overflows, dropped }: SegmentTotals,
  ms: number,
): string | undefined {
  const lost = `${counted(overflows, 'segment')} dropped in ${duration(ms)}`;
  if (rule === 'accept_queue_overflow' && overflows > 0)
    return subject === HOST
      ? `an accept queue of this namespace overflowed: ${lost}${from(message, '; ')}`
      : `accept queue overflowed: ${lost}`;
  if (rule === 'dropped_segments' && dropped > 0)
    return `this listener dropped ${counted(dropped, 'segment')} in ${duration(ms)}${from(message, ': ')}`;
  return undefined;
}

/** Its reason, or the candidates. */
const from = (message: string, mark: string): string => {
  const at = message.indexOf(mark);
  return at < 0 ? '' : message.slice(at);
};

function evidenceOf({ subject, evidence: said }: Finding, { overflows, dropped }: SegmentTotals, ms: number) {
  const whose =
    subject === HOST
      ? 'which cannot be attributed to one listener'
      : 'at looks at which only this listener dropped segments';
  const rose = `ListenOverflows of the namespace rose by ${count(overflows)} in ${duration(ms)}, ${whose}`;
  const lost = `this listener dropped ${counted(dropped, 'segment')} in ${duration(ms)}`;
  return [
    ...(overflows > 0 ? [evidence('ListenOverflows', overflows, 'segments', rose)] : []),
    ...(dropped > 0 ? [evidence('dropped_segments_delta', dropped, 'segments', lost)] : []),
    ...said.filter((one) => !isOverflow(one) && !isDrop(one)),
  ];
}

export const isOverflow = ({ metric }: Evidence): boolean => metric === 'ListenOverflows';
export const isDrop = ({ metric }: Evidence): boolean => metric === 'dropped_segments_delta';
