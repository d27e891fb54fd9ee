import type { Filter } from '../analyze/filter.js';
import { unjudged } from '../analyze/pools/unjudged.js';
import { judgePools } from '../analyze/pools.js';
import { readDescriptorsOf } from '../collect/descriptors.js';
import { readTail, writtenAt } from '../collect/log-tail.js';
import { observeTimes } from '../collect/observe.js';
import { defaultDoor, type NamespaceOptions } from '../collect/options.js';
import { formatEndpoint } from '../model/endpoint.js';
import { SockwatchError } from '../model/errors.js';
import type { RuleLimits } from '../model/findings.js';
import type { HikariStats } from '../model/hikari.js';
import type { Gap } from '../model/observation.js';
import type { PoolsReport, PoolsSeen } from '../model/pools.js';
import { parseHikari } from '../parse/hikari.js';
import type { TableStyle } from '../render/columns.js';
import type { Names } from '../render/names.js';
import { poolsCsv } from '../render/pools/csv.js';
import { poolsJson, poolsNdjson } from '../render/pools/json.js';
import { poolsTable } from '../render/pools/table.js';
import { PoolWatches } from '../watch/pools-of-all.js';
import { askedGaps, NamespaceLog } from './filter-gaps.js';
import { netnsOf } from './flags.js';
import type { PoolsFlags } from './pools-flags.js';
import { requireProcess } from './require-process.js';

/**
 * Looks for `--duration`, or through a recording, and judges what was seen; a signal ends it early with what there is by then.
 * Throws SourceError where the sockets, and SockwatchError where the log cannot be read.
 */
export async function watchPools(
  flags: PoolsFlags,
  filter: Filter | undefined,
  signal: AbortSignal,
  limits?: RuleLimits,
): Promise<PoolsReport> {
  if (flags.from === undefined) requireProcess(flags['hikari-pid']);
  // A path that is wrong is better said before the watch than after it.
  if (flags.hikari !== undefined) await readTail(flags.hikari);
  const watch = new PoolWatches(filter);
  const log = new NamespaceLog();
  const damage: Gap[] = [];
  if (flags.from === undefined) await lookAgain(flags, { watch, log }, signal);
  else await readLooks(flags.from, damage, { watch, log }, signal);
  const seen = watch.report();
  if (seen === undefined) throw nothingSeen(flags.from);
  return judgePools(
    {
      ...seen,
      gaps: [...damage, ...askedGaps(seen.gaps, filter), ...log.gaps(filter), ...unjudged(seen, limits)],
    },
    {
      hikari: await readHikari(flags.hikari),
      hikariPid: flags['hikari-pid'],
      // Those of a recording may have been of another host.
      ...(flags.from === undefined && { descriptors: readDescriptorsOf(leakers(seen), defaultDoor().proc) }),
    },
  );
}

interface Watchers {
  readonly watch: PoolWatches;
  readonly log: NamespaceLog;
}

async function lookAgain(
  { duration, interval, ...flags }: PoolsFlags,
  { watch, log }: Watchers,
  signal: AbortSignal,
) {
  const options: NamespaceOptions = {
    netns: netnsOf(flags),
    source: flags.source,
    udp: false,
    unix: false,
    scope: 'all',
    owners: !flags['no-owners'],
    thoroughOwners: true,
    timeoutMs: flags.timeout,
    closed: true,
  };
  // Two looks at least, unless one was asked for: one alone tells of no rates.
  const everyMs = duration > 0 ? Math.min(interval, duration) : interval;
  const pace = { samples: Math.floor(duration / everyMs) + 1, everyMs };
  let startedAt: number | undefined;
  try {
    for await (const observation of observeTimes(options, pace, signal)) {
      watch.take(observation);
      log.take(observation);
      if (observation.kind === 'samples' || observation.kind === 'closed') continue;
      const { monotonic } = observation.origin;
      startedAt ??= monotonic;
      // Looks that take longer than the interval must not make the watch longer.
      if (monotonic - startedAt + everyMs / 2 >= duration) return;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function readLooks(
  path: string,
  damage: Gap[],
  { watch, log }: Watchers,
  signal: AbortSignal,
): Promise<void> {
  const { looksOf } = await import('./recorded-look.js');
  for await (const observation of looksOf(path, damage)) {
    watch.take(observation);
    log.take(observation);
    if (signal.aborted) return;
  }
}

const nothingSeen = (from: string | undefined) =>
  from === undefined
    ? new SockwatchError('stopped before the first look', 'let it look once')
    : new SockwatchError(`${from} has no look at all connections`, 'record without --no-connections');

async function readHikari(path: string | undefined): Promise<readonly HikariStats[]> {
  if (path === undefined) return [];
  const stats = parseHikari(await readTail(path));
  const written = await writtenAt(path);
  if (stats.length > 0) return stats.map((one) => (written === undefined ? one : { time: written, ...one }));
  throw new SockwatchError(
    `${path} has no line of HikariCP such as "Pool stats (total=10, active=0, idle=10, waiting=0)"`,
    'set the log level of com.zaxxer.hikari to DEBUG and wait 30 s',
  );
}

/** Processes whose descriptors matter to a finding. */
const leakers = ({ pools }: PoolsSeen): ReadonlySet<number> =>
  new Set(
    pools.flatMap(({ owner, closeWaits }) =>
      typeof owner === 'object' && closeWaits.stuck > 0 ? [owner.pid] : [],
    ),
  );

/** The first pools of a report and what belongs to them. */
export function topPools(report: PoolsReport, top: number | undefined): PoolsReport {
  if (top === undefined || report.pools.length <= top) return report;
  const pools = report.pools.slice(0, top);
  const ends = new Set(
    pools.flatMap(({ direction, end }) => (direction === 'outbound' ? [formatEndpoint(end)] : [])),
  );
  return {
    ...report,
    pools,
    leftOut: report.pools.slice(top),
    shares: report.shares.slice(0, top),
    // Sums over all pools of these, whether they are shown or not.
    remotes: report.remotes.filter(({ end }) => ends.has(formatEndpoint(end))),
    findings: report.findings.filter(({ pool }) => pool === undefined || pool < top),
    hikari: report.hikari.filter(({ pool }) => pool === undefined || pool < top),
  };
}

/** The report in the format that was asked for, in small strings. */
export function writePools(
  report: PoolsReport,
  { format }: Pick<PoolsFlags, 'format'>,
  names: Names,
  style: TableStyle,
): Iterable<string> {
  switch (format) {
    case 'json':
      return poolsJson(report, names);
    case 'ndjson':
      return poolsNdjson(report, names);
    case 'csv':
      return poolsCsv(report, names);
    case 'table':
      return poolsTable(report, names, style);
  }
}
