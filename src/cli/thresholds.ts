import { DEFAULT_THRESHOLDS, parsePortOverride, type Thresholds } from '../analyze/thresholds.js';
import { ratio } from '../model/units.js';
import { asUsage } from './flags.js';
import { UsageError } from './usage.js';

interface ThresholdFlags {
  readonly warn?: number | undefined;
  readonly critical?: number | undefined;
  readonly port?: readonly string[] | undefined;
}

/**
 * Thresholds as the flags set them over the defaults.
 * @throws UsageError where a port override cannot be read, or a warning would come after a critical
 */
export function readThresholds({ warn, critical, port = [] }: ThresholdFlags): Thresholds {
  // A default gives way to what was asked for.
  const warnFill = ratio(warn ?? Math.min(DEFAULT_THRESHOLDS.warnFill, critical ?? 1));
  const criticalFill = ratio(critical ?? Math.max(DEFAULT_THRESHOLDS.criticalFill, warnFill));
  if (warnFill > criticalFill) throw new UsageError('--warn: expected at most the value of --critical');
  const ports = new Map(port.map((text) => asUsage(() => parsePortOverride(text))));
  return { ...DEFAULT_THRESHOLDS, warnFill, criticalFill, ports };
}
