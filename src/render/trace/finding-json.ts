import type { TraceFinding } from '../../model/trace-findings.js';
import type { TraceFindingJson } from '../../model/trace-json.js';
import type { Names } from '../names.js';

const MOST_FRAMES = 50;

/** A filter for Wireshark's display that shows these packets: `frame.number in {4, 7}`. */
export const displayFilter = (frames: readonly number[]): string =>
  `frame.number in {${frames.slice(0, MOST_FRAMES).join(', ')}}`;

export function findingJson(finding: TraceFinding, names: Names): TraceFindingJson {
  const { signature, alternatives, advice } = finding;
  return {
    rule: finding.rule,
    severity: finding.severity,
    ...(signature && { signature }),
    sure: finding.sure,
    frames: [...finding.frames],
    message: names.sentence(finding.message),
    evidence: finding.evidence.map((text) => names.sentence(text)),
    ...(alternatives && { alternatives: [...alternatives] }),
    ...(advice !== undefined && { advice: names.sentence(advice) }),
    display_filter: displayFilter(finding.frames),
  };
}
