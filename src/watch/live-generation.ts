import { judgePools } from '../analyze/pools.js';
import type { ClosedReport } from '../model/closed.js';
import type { DiagnosisFacts } from '../model/diagnosis.js';
import { formatEndpoint } from '../model/endpoint.js';
import type { Rule } from '../model/findings.js';
import type { ListenerReport } from '../model/listener.js';
import type { ClosedObservation, TableObservation } from '../model/observation.js';
import type { JudgedPool, Pool, PoolFinding, PoolsAtLook, PoolsReport } from '../model/pools.js';
import { SocketTable } from '../model/table.js';
import { millis } from '../model/units.js';
import { ClosedSince } from './closed-since.js';
import { ConnectionWatch } from './connections.js';
import { counterDeltas } from './counters.js';
import { PoolWatch } from './pools.js';

/** Attempts count for so long: with the quiet time of alerts, an alert of attempts ends some ten seconds after its fault. */
const CURRENT_MS = millis(5000);
/** Pools of larger tables cost more than a look may. */
const MOST_POOLED = 20_000;

/** What pools seem to be is said after as long a watch as `diagnose` takes by default; what leaks, at once. */
const POOLS_WATCHED_MS = 5000;
const LEAKS: ReadonlySet<Rule> = new Set(['close_wait_leak', 'pool_leak']);

/** What one stretch of time saw. */
export class Generation {
  private readonly pools = new PoolWatch(undefined, true);
  private readonly connections = new ConnectionWatch();
  private looks = 0;
  /** Pools of the last look; `undefined`: there were too many sockets. */
  seen: PoolsAtLook | undefined;
  private isPooled = false;

  private readonly closedSince: ClosedSince;

  /** Of the first look. Its sockets are not kept: they would be memory for a table that nobody reads any more. */
  readonly first: Pick<TableObservation, 'origin' | 'counters' | 'stack'>;

  constructor({ origin, counters, stack }: TableObservation, closed: ClosedReport | undefined) {
    this.first = { origin, ...(counters && { counters }), ...(stack && { stack }) };
    this.closedSince = new ClosedSince(closed);
  }

  take(observation: TableObservation): void {
    this.looks++;
    this.connections.take(observation);
    this.isPooled = observation.sockets.length <= MOST_POOLED;
    if (this.isPooled) this.pools.take(observation);
  }

  /** What ended since the last look. */
  takeClosed(observation: ClosedObservation): void {
    // Beside a table that was not followed nobody can tell which of them are new: numbers are lower bounds from then on.
    this.pools.take(
      this.isPooled ? observation : { ...observation, sockets: new SocketTable(), incomplete: true },
    );
  }

  facts(
    now: TableObservation,
    listeners: readonly ListenerReport[],
    closed: ClosedReport | undefined,
  ): DiagnosisFacts {
    const { first, looks } = this;
    const watchedMs = millis(now.origin.monotonic - first.origin.monotonic);
    const counters = counterDeltas(first.counters, now.counters);
    const none = { origin: now.origin, watchedMs, looks, pools: [], remotes: [], gaps: [] };
    // What was seen before there were too many sockets may not hold any more.
    const pools = judgePools((this.isPooled ? this.pools.report() : undefined) ?? none);
    this.seen = this.isPooled
      ? { pools: judged(pools), poolOfRow: this.pools.placesOf(pools.pools) }
      : undefined;
    return {
      origin: now.origin,
      watchedMs,
      looks,
      listeners,
      // What is wrong with the namespace is in the report already.
      host: [],
      pools: currentOf(pools),
      seen: this.connections.seen(now.stack?.portRange),
      ...(counters && looks > 1 && { counters }),
      ...(closed && { closed: this.closedSince.of(closed) }),
      ...(first.stack && now.stack && { stack: { first: first.stack, last: now.stack } }),
      currentMs: CURRENT_MS,
      gaps: [],
    };
  }
}

const judged = ({ pools, findings, endsTold }: PoolsReport): JudgedPool[] =>
  pools.map((pool, index) => ({
    ...pool,
    findings: findings.filter((finding) => finding.pool === index),
    ...(endsTold && { endsTold }),
  }));

/** What holds now: who has made no connections for a while makes them no more, whatever their number since the first look. */
function currentOf(report: PoolsReport): PoolsReport {
  const isLong = report.watchedMs >= POOLS_WATCHED_MS;
  const makes = new Set(
    report.pools
      .filter(({ past }) => (past.sinceCreatedMs ?? Number.POSITIVE_INFINITY) <= CURRENT_MS)
      .map(endOf),
  );
  const isCurrent = ({ rule, pool: place }: PoolFinding) => {
    const pool = place === undefined ? undefined : report.pools[place];
    // Those that had closed before their process was found are another pool of the same remote.
    return rule !== 'pool_churn' || pool === undefined || makes.has(endOf(pool));
  };
  const findings = report.findings.filter((one) => LEAKS.has(one.rule) || (isLong && isCurrent(one)));
  return { ...report, findings };
}

const endOf = ({ direction, end }: Pool): string => `${direction} ${formatEndpoint(end)}`;
