import { diagnose } from '../analyze/diagnose.js';
import type { Filter } from '../analyze/filter.js';
import { unjudged } from '../analyze/pools/unjudged.js';
import { DEFAULT_THRESHOLDS } from '../analyze/thresholds.js';
import { observeTimes } from '../collect/observe.js';
import { type CollectOptions, defaultDoor } from '../collect/options.js';
import { readRoutes } from '../collect/routes.js';
import { readText } from '../collect/small-files.js';
import type { Diagnosis } from '../model/diagnosis.js';
import { SockwatchError } from '../model/errors.js';
import type { RuleLimits } from '../model/findings.js';
import type { Gap } from '../model/observation.js';
import type { TableStyle } from '../render/columns.js';
import { diagnosisJson } from '../render/diagnose/json.js';
import { diagnosisText } from '../render/diagnose/text.js';
import type { Names } from '../render/names.js';
import { type Beside, DiagnosisWatch } from '../watch/diagnosis.js';
import { descriptorsOf } from './descriptors.js';
import type { DiagnoseFlags } from './diagnose-flags.js';

/**
 * Looks for `--duration`, or through a recording, and judges what was seen; a signal ends it early with what there is by then.
 * Throws SourceError where the sockets cannot be read.
 */
export async function watchAndDiagnose(
  flags: DiagnoseFlags,
  filter: Filter | undefined,
  signal: AbortSignal,
  limits?: RuleLimits,
): Promise<Diagnosis> {
  if (flags.from === undefined) requireProcess(flags.pid);
  const oneLook = flags.from === undefined && flags.duration === 0;
  const watch = new DiagnosisWatch({ thresholds: DEFAULT_THRESHOLDS, oneLook }, filter);
  const gaps: Gap[] = [];
  const beside =
    flags.from === undefined
      ? await lookAgain(flags, watch, gaps, signal)
      : await readLooks(flags.from, watch, gaps, signal);
  const facts = watch.facts(beside);
  if (facts === undefined) throw nothingSeen(flags.from);
  return diagnose({ ...facts, gaps: [...gaps, ...facts.gaps, ...unjudged(facts.pools, limits)] });
}

/** Of a process that is none nothing can be found, which must not read as good news. */
function requireProcess(pid: number | undefined): void {
  if (pid === undefined || readText(`${defaultDoor().proc}/${pid}/stat`) !== undefined) return;
  throw new SockwatchError(`there is no process ${pid}`, 'give the pid of one that runs');
}

async function lookAgain(
  { duration, interval, ...flags }: DiagnoseFlags,
  watch: DiagnosisWatch,
  gaps: Gap[],
  signal: AbortSignal,
): Promise<Beside> {
  const options: CollectOptions = {
    source: flags.source,
    udp: true,
    unix: true,
    scope: 'all',
    owners: !flags['no-owners'],
    thoroughOwners: true,
    stack: true,
    sampleHz: flags['sample-rate'],
    timeoutMs: flags.timeout,
    closed: true,
  };
  const { proc } = defaultDoor();
  // Two looks at least, unless one was asked for: one alone tells of no rates.
  const everyMs = duration > 0 ? Math.min(interval, duration) : interval;
  const pace = { samples: Math.floor(duration / everyMs) + 1, everyMs };
  let startedAt: number | undefined;
  try {
    for await (const observation of observeTimes(options, pace, signal)) {
      watch.take(observation);
      if (observation.kind !== 'table') continue;
      const { monotonic } = observation.origin;
      startedAt ??= monotonic;
      // Looks that take longer than the interval must not make the watch longer.
      if (monotonic - startedAt + everyMs / 2 >= duration) break;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  const descriptors = flags['no-owners'] ? undefined : descriptorsOf(watch.pids(), proc, gaps);
  const routes = watch.hasUnanswered ? readRoutes(proc) : undefined;
  return { ...(descriptors && { descriptors }), ...(routes && { routes }) };
}

async function readLooks(
  path: string,
  watch: DiagnosisWatch,
  gaps: Gap[],
  signal: AbortSignal,
): Promise<Beside> {
  const { looksOf } = await import('./recorded-look.js');
  for await (const observation of looksOf(path, gaps)) {
    if (observation.kind === 'namespaces') throw ofSeveral(path);
    watch.take(observation);
    if (signal.aborted) break;
  }
  return {};
}

const nothingSeen = (from: string | undefined) =>
  from === undefined
    ? new SockwatchError('stopped before the first look', 'let it look once')
    : new SockwatchError(`${from} has no look at all connections`, 'record without --no-connections');

/** Its rules are of one host: what several namespaces share cannot be told apart there. */
const ofSeveral = (path: string) =>
  new SockwatchError(
    `${path} was recorded from several namespaces: diagnose looks at one`,
    'record without --netns all, or show it with sockwatch live --replay',
  );

/** The diagnosis in the format that was asked for, in small strings. */
export const writeDiagnosis = (
  diagnosis: Diagnosis,
  format: DiagnoseFlags['format'],
  names: Names,
  style: TableStyle,
): Iterable<string> =>
  format === 'json' ? diagnosisJson(diagnosis, names) : diagnosisText(diagnosis, names, style);
