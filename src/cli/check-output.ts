import { METRIC_SPECS } from '../analyze/check/metrics.js';
import type { CheckResult } from '../model/check.js';
import { checkJsonText } from '../render/check/json.js';
import { nagiosText } from '../render/check/nagios.js';
import { prometheusText } from '../render/check/prometheus.js';
import { checkText } from '../render/check/text.js';
import type { Names } from '../render/names.js';
import type { CheckFormat } from './check-formats.js';
import type { CheckRun } from './check-run.js';

export interface CheckOutput {
  readonly format: CheckFormat;
  readonly names: Names;
  readonly verbose: boolean;
  readonly version: string;
}

/** The result of a run in the format that was asked for. */
export function formatCheck(run: CheckRun, { format, names, verbose, version }: CheckOutput): string {
  names.learn(run.report);
  switch (format) {
    case 'nagios':
      return nagiosText(run.result, { names, verbose });
    case 'text':
      return checkText(run.result, { names, verbose });
    case 'json':
      return checkJsonText(run.result, (metric) => METRIC_SPECS[metric], names);
    case 'prometheus':
      return prometheusText({ version, seen: run, time: run.result.time, names });
  }
}

/** Whether a run says anything: with `--quiet-ok` what is well is silent, with `--renotify` what was told is. */
export function isSilent(
  { status, news }: CheckResult,
  { quietOk, renotify }: { quietOk: boolean; renotify: boolean },
): boolean {
  if (status === 'ok') return quietOk && news !== 'recovered';
  return renotify && news === 'unchanged';
}
