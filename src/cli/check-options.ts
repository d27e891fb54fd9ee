import { createHash } from 'node:crypto';
import { CONNECTION_KEYS, type ConnectionKey } from '../analyze/check/connections.js';
import type { CheckWish } from '../analyze/check/measure.js';
import { DEFAULT_METRICS, METRIC_SPECS } from '../analyze/check/metrics.js';
import { parsePlace, rowsAt } from '../analyze/check/selection.js';
import { type Filter, parseFilter } from '../analyze/filter.js';
import { parseRange } from '../analyze/ranges.js';
import { type NamespaceOptions, SOURCE_CHOICES } from '../collect/options.js';
import { METRICS, type Metric } from '../model/check.js';
import { ParseError } from '../model/errors.js';
import type { Limits, Range } from '../model/ranges.js';
import { AT_ONCE, type Persistence } from '../watch/check-memory.js';
import type { CheckFlags } from './check-flags.js';
import { CHECK_FORMATS, type CheckFormat } from './check-formats.js';
import { DEFAULT_TIMEOUT_MS } from './check-guard.js';
import type { CheckSettings, Written } from './check-settings.js';
import { parseDuration } from './duration.js';
import { DEFAULT_SAMPLE_HZ, readNetns, readSampleRate } from './flags.js';

/** What one run of `check` does, read before anything is started. */
export interface CheckOptions {
  readonly wish: CheckWish;
  readonly limits: ReadonlyMap<Metric, Limits>;
  readonly filter: Filter | undefined;
  readonly collect: NamespaceOptions;
  readonly samples: number;
  readonly everyMs: number;
  readonly persistence: Persistence;
  readonly renotifyMs: number | undefined;
  readonly timeoutMs: number;
  readonly format: CheckFormat;
  readonly output: string | undefined;
  readonly statePath: string | undefined;
  /** A recording to check in place of this machine. */
  readonly replay: string | undefined;
  /** Names the check among others of the host: a hash of what it measures. */
  readonly id: string;
}

const PLACE_FLAGS = ['port', 'listener', 'unix'] as const;
const MOST_SAMPLES = 10_000;
const MOST_RUNS = 100;
const MOST_TIMEOUT_MS = 86_400_000;
/** One look tells of no rates, growth or retries. */
const DIAGNOSIS_PACE = { samples: 3, everyMs: 500 };

/** @throws ParseError that names the flag, or file, line and field of the configuration */
export function readCheckOptions(flags: CheckFlags, settings: CheckSettings): CheckOptions {
  const expect = settings
    .list('expect')
    .map(({ text, where }) => parsePlace(text, where, { withProcess: true }));
  const { metrics, limits } = readMetrics(flags, settings, expect.length > 0);
  // One of them on the command line stands for all of the configuration.
  const isNamed = PLACE_FLAGS.some((name) => (flags[name] ?? []).length > 0);
  const places = PLACE_FLAGS.flatMap((name) =>
    settings
      .list(name, isNamed)
      .map(({ text, where }) => parsePlace(name === 'unix' ? `unix:${text}` : text, where)),
  );
  const filterText = settings.one('filter');
  const filter = filterText === undefined ? undefined : readRowFilter(filterText);
  const by = choose<ConnectionKey>(settings.one('by'), CONNECTION_KEYS, 'total');
  const timeoutMs = readTimeout(settings.one('timeout'));
  const usual = metrics.includes('diagnosis') ? DIAGNOSIS_PACE : { samples: 1, everyMs: 100 };
  const samples = count(settings.one('samples'), MOST_SAMPLES, usual.samples);
  const everyMs = duration(settings.one('every'), usual.everyMs);
  const renotify = settings.one('renotify');
  const wish = { metrics, selection: { places, filter }, rows: rowsAt(places, filter), expect, by };
  const persistence = readPersistence(settings.one('for'));
  const netns = readNamespaces(settings);
  if (metrics.includes('listener') && expect.length === 0)
    throw new ParseError('--metric', '--expect, which names the listeners that must be there', 'listener');
  if (persistence.of > 1 && (flags['no-state'] || flags.replay !== undefined))
    throw new ParseError(
      '--for',
      'a state file, in which the runs before are kept',
      flags.replay === undefined ? '--no-state' : '--replay',
    );
  if ((samples - 1) * everyMs >= timeoutMs)
    throw new ParseError(
      '--timeout',
      'more time than the samples take',
      `${timeoutMs} ms for ${samples} samples`,
    );
  return {
    wish,
    limits,
    filter,
    collect: {
      ...collectOptions(flags, settings, { metrics, by, filter: filterText?.text, expect, timeoutMs }),
      sampleHz: metrics.includes('accept-queue') ? sampleRate(settings.one('sample-rate')) : 0,
    },
    samples,
    everyMs,
    persistence,
    renotifyMs: renotify && duration(renotify, 0),
    timeoutMs,
    format: choose<CheckFormat>(settings.one('format'), CHECK_FORMATS, 'nagios'),
    output: settings.one('output')?.text,
    statePath: settings.one('state')?.text,
    replay: flags.replay,
    id: idOf([
      metrics,
      [...limits],
      places,
      filterText?.text,
      expect,
      by,
      // In whatever order they were named.
      ...(netns === undefined ? [] : [netns.length > 1 ? [...netns].sort() : netns[0]]),
    ]),
  };
}

/** In the configuration commas stand between names as on the command line. */
function readNamespaces(settings: CheckSettings): readonly string[] | undefined {
  const written = settings.list('netns');
  return readNetns(
    written.flatMap(({ text, where }) =>
      where === '--netns' ? [text] : text.split(',').map((one) => one.trim()),
    ),
    written[0]?.where,
  );
}

function readRowFilter({ text, where }: Written): Filter | undefined {
  if (text.trim() === '') return undefined;
  try {
    return parseFilter(text);
  } catch (error) {
    if (error instanceof ParseError)
      throw new ParseError(`${where}: ${error.where}`, error.expected, error.got);
    throw error;
  }
}

const idOf = (parts: unknown): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12);

function readMetrics(flags: CheckFlags, settings: CheckSettings, hasExpect: boolean) {
  const named = (flags.metric ?? []).flatMap((text) => text.split(',')).map((text) => text.trim());
  const configured = settings.metrics();
  const names = named.length > 0 ? named.map((name) => ({ name, where: '--metric' })) : configured;
  const asked = [...new Set(names.map(({ name, where }) => asMetric(name, where)))];
  const isAlone = asked.length === 0 && hasExpect && (flags.warning ?? flags.critical) === undefined;
  const base = asked.length > 0 ? asked : isAlone ? [] : DEFAULT_METRICS;
  const metrics = [...new Set<Metric>([...base, ...(hasExpect ? (['listener'] as const) : [])])];
  const target = asked[0] ?? 'accept-queue';
  const limits = new Map<Metric, Limits>();
  for (const metric of metrics) {
    const spec = METRIC_SPECS[metric];
    limits.set(metric, {
      ...(spec.warning !== undefined && { warning: parseRange(spec.warning, metric) }),
      ...(spec.critical !== undefined && { critical: parseRange(spec.critical, metric) }),
    });
  }
  const set = (metric: Metric, level: 'warning' | 'critical', range: Range, where: string, text: string) => {
    if (!limits.has(metric)) throw new ParseError(where, `a range of ${metrics.join(' or ')}`, text);
    limits.set(metric, { ...limits.get(metric), [level]: range });
  };
  for (const { name, where, warning, critical } of configured) {
    const metric = asMetric(name, where);
    if (!limits.has(metric)) continue;
    if (warning) set(metric, 'warning', readRange(metric, warning), warning.where, warning.text);
    if (critical) set(metric, 'critical', readRange(metric, critical), critical.where, critical.text);
  }
  for (const level of ['warning', 'critical'] as const) {
    for (const text of flags[level] ?? []) {
      const where = `--${level}`;
      const equals = text.indexOf('=');
      if (equals < 0 && asked.length > 1)
        throw new ParseError(where, 'METRIC=RANGE where there are several metrics', text);
      const metric = equals < 0 ? target : asMetric(text.slice(0, equals), where);
      set(metric, level, readRange(metric, { text: text.slice(equals + 1), where }), where, text);
    }
  }
  return { metrics, limits };
}

function readRange(metric: Metric, { text, where }: Written): Range {
  if (text.trim().endsWith('%') && !METRIC_SPECS[metric].isPercent)
    throw new ParseError(
      where,
      `a range in ${METRIC_SPECS[metric].unit}, for ${metric} has no percentages`,
      text,
    );
  return parseRange(text, where);
}

function asMetric(name: string, where: string): Metric {
  if ((METRICS as readonly string[]).includes(name)) return name as Metric;
  throw new ParseError(where, `one of ${METRICS.join(', ')}`, name);
}

interface Wanted {
  readonly metrics: readonly Metric[];
  readonly by: ConnectionKey;
  readonly filter: string | undefined;
  readonly expect: CheckWish['expect'];
  readonly timeoutMs: number;
}

const DETAILED: ReadonlySet<Metric> = new Set(['close-wait-age', 'oldest-wait', 'diagnosis']);

/** Only what the metrics need is read: owners cost a scan of every descriptor, details more than half of the work of ss. */
function collectOptions(flags: CheckFlags, settings: CheckSettings, wanted: Wanted): NamespaceOptions {
  const { metrics, by, filter, expect, timeoutMs } = wanted;
  const specs = metrics.map((metric) => METRIC_SPECS[metric]);
  const needsConnections = specs.some(({ needs }) => needs === 'connections');
  const needsOwners =
    specs.some((spec) => spec.needsOwners) ||
    (metrics.includes('connections') && by === 'process') ||
    expect.some(({ process }) => process !== undefined) ||
    /\b(?:process|proc|pid):|\//.test(filter ?? '');
  return {
    netns: readNamespaces(settings),
    facts: true,
    source: choose(settings.one('source'), SOURCE_CHOICES, 'auto'),
    udp: false,
    unix: true,
    scope: needsConnections
      ? 'all'
      : specs.some(({ needs }) => needs === 'listeners')
        ? 'troubled'
        : 'listeners',
    owners: needsOwners && !flags['no-owners'],
    details: metrics.some((metric) => DETAILED.has(metric)),
    stack: metrics.includes('diagnosis'),
    timeoutMs,
  };
}

function choose<T extends string>(written: Written | undefined, options: readonly T[], otherwise: T): T {
  if (written === undefined) return otherwise;
  const found = options.find((option) => option === written.text);
  if (found === undefined) throw new ParseError(written.where, `one of ${options.join(', ')}`, written.text);
  return found;
}

function duration(written: Written | undefined, otherwise: number): number {
  if (written === undefined) return otherwise;
  const ms = parseDuration(written.text, written.where);
  if (ms < 1) throw new ParseError(written.where, 'a duration of 1ms or more', written.text);
  return ms;
}

/** Monitoring systems give seconds without a unit. */
function readTimeout(written: Written | undefined): number {
  const isBare = written !== undefined && /^\d+(\.\d+)?$/.test(written.text);
  const ms = duration(isBare ? { ...written, text: `${written.text}s` } : written, DEFAULT_TIMEOUT_MS);
  if (ms > MOST_TIMEOUT_MS) throw new ParseError(written?.where ?? '--timeout', 'a day at most', `${ms} ms`);
  return ms;
}

function count(written: Written | undefined, most: number, otherwise: number): number {
  if (written === undefined) return otherwise;
  const value = /^\d{1,6}$/.test(written.text) ? Number(written.text) : 0;
  if (value < 1 || value > most)
    throw new ParseError(written.where, `a number from 1 to ${most}`, written.text);
  return value;
}

const sampleRate = (written: Written | undefined): number =>
  written === undefined ? DEFAULT_SAMPLE_HZ : readSampleRate(written.text, written.where);

function readPersistence(written: Written | undefined): Persistence {
  if (written === undefined) return AT_ONCE;
  const [, least = '', of = ''] = /^(\d{1,3})\/(\d{1,3})$/.exec(written.text) ?? [];
  const persistence = { least: Number(least), of: Number(of) };
  if (persistence.least < 1 || persistence.least > persistence.of || persistence.of > MOST_RUNS)
    throw new ParseError(written.where, `k/n, as 2/3, with n up to ${MOST_RUNS}`, written.text);
  return persistence;
}
