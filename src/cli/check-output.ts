import type { CheckWish } from '../analyze/check/measure.js';
import { METRIC_SPECS } from '../analyze/check/metrics.js';
import type { CheckResult } from '../model/check.js';
import { checkJsonText } from '../render/check/json.js';
import { nagiosText } from '../render/check/nagios.js';
import { prometheusText } from '../render/check/prometheus.js';
import { checkText } from '../render/check/text.js';
import { redactNamespace } from '../render/labels.js';
import type { Names } from '../render/names.js';
import type { CheckFormat } from './check-formats.js';
import type { CheckRun } from './check-run.js';

export interface CheckOutput {
  /** What was asked for may hold names that are to be hidden. */
  readonly wish: CheckWish;
  readonly format: CheckFormat;
  readonly names: Names;
  readonly verbose: boolean;
  readonly version: string;
}

/** The result of a run in the format that was asked for. */
export function formatCheck(run: CheckRun, { format, names, verbose, version, wish }: CheckOutput): string {
  names.learn(run.report);
  // Names of those that went are in no report.
  for (const namespace of run.result.namespaces?.went ?? []) redactNamespace(namespace, names);
  learnPlaces(wish, names);
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

function learnPlaces({ selection, expect }: CheckWish, names: Names): void {
  for (const { process, unixPath } of [...selection.places, ...expect]) {
    if (process !== undefined) names.owner({ pid: 0, fd: 0, name: process });
    if (unixPath !== undefined) names.endpoint({ kind: 'unix', path: unixPath });
  }
}

interface Silence {
  readonly quietOk: boolean;
  readonly renotify: boolean;
  /** The state could not be kept: a check that is silent then would be silent for ever. */
  readonly hasLostState: boolean;
}

/** Whether a run says nothing: with `--quiet-ok` what is well is silent, with `--renotify` what was told is. */
export function isSilent(
  { status, news }: CheckResult,
  { quietOk, renotify, hasLostState }: Silence,
): boolean {
  if (hasLostState) return false;
  if (status === 'ok') return quietOk && news !== 'recovered';
  return renotify && news === 'unchanged';
}
