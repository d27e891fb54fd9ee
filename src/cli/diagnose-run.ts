import { diagnoseAll } from '../analyze/diagnose-all.js';
import type { Filter } from '../analyze/filter.js';
import { unjudgedUse } from '../analyze/pools/unjudged.js';
import { DEFAULT_THRESHOLDS } from '../analyze/thresholds.js';
import { observeTimes } from '../collect/observe.js';
import { defaultDoor, type NamespaceOptions } from '../collect/options.js';
import { readRoutes } from '../collect/routes.js';
import type { Diagnosis } from '../model/diagnosis.js';
import { SockwatchError } from '../model/errors.js';
import type { RuleLimits } from '../model/findings.js';
import type { Gap, Observation } from '../model/observation.js';
import type { TableStyle } from '../render/columns.js';
import { diagnosisJson } from '../render/diagnose/json.js';
import { diagnosisText } from '../render/diagnose/text.js';
import type { Names } from '../render/names.js';
import { DiagnosisWatches, type ReadBeside } from '../watch/diagnosis-of-all.js';
import { descriptorsOf } from './descriptors.js';
import { type DiagnoseFlags, filterText } from './diagnose-flags.js';
import { askedGaps, NamespaceLog } from './filter-gaps.js';
import { netnsOf } from './flags.js';
import { requireProcess } from './require-process.js';

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
  const watch = new DiagnosisWatches({ thresholds: DEFAULT_THRESHOLDS, oneLook }, filter);
  const log = new NamespaceLog();
  const gaps: Gap[] = [];
  const watchers = { watch, log };
  if (flags.from === undefined) await lookAgain(flags, watchers, signal);
  else await readLooks({ path: flags.from, pid: flags.pid }, watchers, gaps, signal);
  // What this host knows beside says nothing of a recording, which may be of another one.
  const besideOf = flags.from === undefined ? lookBeside(flags, gaps) : undefined;
  const [first, ...others] = watch.facts(besideOf);
  if (first === undefined) throw nothingSeen(flags.from);
  const parts = [first, ...others].map(({ facts, ...part }, at) => ({
    ...part,
    facts: {
      ...facts,
      gaps: [
        ...(at === 0 ? [...gaps, ...watch.gaps, ...log.gaps(filter)] : []),
        ...facts.gaps,
        ...unjudgedUse(facts.pools, limits),
      ],
    },
  }));
  const diagnosis = diagnoseAll(parts);
  const asked = { ...diagnosis, gaps: askedGaps(diagnosis.gaps, filter) };
  return filter === undefined ? asked : withUnmatched(asked, flags);
}

/** What was asked for is not here: that nothing was found says nothing. */
function withUnmatched(diagnosis: Diagnosis, { filter = '', port, pid }: DiagnoseFlags): Diagnosis {
  const { listeners, connections, udp, unix } = diagnosis.lookedAt;
  if (listeners + connections + udp + unix + diagnosis.findings.length > 0) return diagnosis;
  const isOne = filter === '' && (port === undefined || pid === undefined);
  const asked = port === undefined ? `is of process ${pid}` : `has port ${port}`;
  const what = `nothing here ${isOne ? asked : `matches ${filterText({ filter, port, pid })}`}`;
  return { ...diagnosis, unmatched: { what, why: 'nothing was judged' } };
}

/** Descriptors of the processes that were met, and routes where connects are not answered: of our own namespace only. */
function lookBeside({ 'no-owners': ownerless }: DiagnoseFlags, gaps: Gap[]): ReadBeside {
  const { proc } = defaultDoor();
  return (watch, isOwn) => {
    const routes = isOwn && watch.hasUnanswered ? readRoutes(proc) : undefined;
    return {
      ...(!ownerless && { descriptors: descriptorsOf(watch.pids(), proc, gaps) }),
      ...(routes && { routes }),
    };
  };
}

/** Of most rules that compare looks (`tooShortGap`). */
const LEAST_LOOKS = 3;

interface Watchers {
  readonly watch: DiagnosisWatches;
  readonly log: NamespaceLog;
}

async function lookAgain(
  { duration, interval, ...flags }: DiagnoseFlags,
  { watch, log }: Watchers,
  signal: AbortSignal,
): Promise<void> {
  const options: NamespaceOptions = {
    netns: netnsOf(flags),
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
  // Most rules need three looks, so there are three, unless one was asked for.
  const least = duration > 0 ? LEAST_LOOKS : 1;
  const everyMs = duration > 0 ? Math.min(interval, duration / (LEAST_LOOKS - 1)) : interval;
  const pace = { samples: Math.max(least, Math.floor(duration / everyMs) + 1), everyMs };
  let looks = 0;
  let startedAt: number | undefined;
  try {
    for await (const observation of observeTimes(options, pace, signal)) {
      watch.take(observation);
      log.take(observation);
      if (observation.kind !== 'table' && observation.kind !== 'namespaces') continue;
      const { monotonic } = observation.origin;
      startedAt ??= monotonic;
      looks++;
      // Looks that take longer than the interval must not make the watch longer.
      if (looks >= least && monotonic - startedAt + everyMs / 2 >= duration) break;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function readLooks(
  { path, pid }: { readonly path: string; readonly pid: number | undefined },
  { watch, log }: Watchers,
  gaps: Gap[],
  signal: AbortSignal,
): Promise<void> {
  const { looksOf } = await import('./recorded-look.js');
  let isMet = pid === undefined;
  for await (const observation of looksOf(path, gaps)) {
    isMet ||= pid !== undefined && hasProcess(observation, pid);
    watch.take(observation);
    log.take(observation);
    if (signal.aborted) break;
  }
  if (!isMet && !signal.aborted)
    throw new SockwatchError(
      `${path} has no sockets of process ${pid}`,
      `give the pid of one that it has: sockwatch snapshot --all --from ${path}`,
    );
}

function hasProcess(observation: Observation, pid: number): boolean {
  if (observation.kind === 'namespaces') return observation.looks.some((look) => hasProcess(look, pid));
  if (observation.kind !== 'table') return false;
  const { sockets } = observation;
  for (let row = 0; row < sockets.length; row++)
    if (sockets.ownersAt(row)?.some((owner) => owner.pid === pid)) return true;
  return false;
}

const nothingSeen = (from: string | undefined) =>
  from === undefined
    ? new SockwatchError('stopped before the first look', 'let it look once')
    : new SockwatchError(`${from} has no look at all connections`, 'record without --no-connections');

/** The diagnosis in the format that was asked for, in small strings. */
export const writeDiagnosis = (
  diagnosis: Diagnosis,
  format: DiagnoseFlags['format'],
  names: Names,
  style: TableStyle,
): Iterable<string> =>
  format === 'json' ? diagnosisJson(diagnosis, names) : diagnosisText(diagnosis, names, style);
