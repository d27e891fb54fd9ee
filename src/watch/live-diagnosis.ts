import { diagnose, subjectText as subjectOfEnds } from '../analyze/diagnose.js';
import { judgePools } from '../analyze/pools.js';
import type { DiagnosisFacts, DiagnosisFinding } from '../model/diagnosis.js';
import type { Rule } from '../model/findings.js';
import type { ListenerReport } from '../model/listener.js';
import type { TableObservation } from '../model/observation.js';
import type { JudgedPool, PoolsReport } from '../model/pools.js';
import { millis } from '../model/units.js';
import { ConnectionWatch } from './connections.js';
import { counterDeltas } from './counters.js';
import { PoolWatch } from './pools.js';
import { type Companion, type CompanionFinding, isOtherKernel } from './state.js';

/** What was seen longer ago than twice this does not count any more: a fault that is over clears. */
const GENERATION_MS = 30_000;
/** Pools of larger tables cost more than a look may. */
const MOST_POOLED = 20_000;

/** Of pools, those that do not hang on who made connections that were gone before their process was looked for. */
const OF_POOLS: ReadonlySet<Rule> = new Set(['close_wait_leak', 'pool_leak']);

/** What one stretch of time saw. */
class Generation {
  private readonly pools = new PoolWatch();
  private readonly connections = new ConnectionWatch();
  private looks = 0;
  /** Pools of the last look. */
  seen: readonly JudgedPool[] | undefined;

  constructor(readonly first: TableObservation) {}

  take(observation: TableObservation): void {
    this.looks++;
    this.connections.take(observation);
    if (observation.sockets.length <= MOST_POOLED) this.pools.take(observation);
  }

  facts(now: TableObservation, listeners: readonly ListenerReport[]): DiagnosisFacts {
    const { first, looks } = this;
    const watchedMs = millis(now.origin.monotonic - first.origin.monotonic);
    const counters = counterDeltas(first.counters, now.counters);
    const none = { origin: now.origin, watchedMs, looks, pools: [], remotes: [], gaps: [] };
    const pools = judgePools(this.pools.report() ?? none);
    this.seen = now.sockets.length <= MOST_POOLED ? judged(pools) : undefined;
    return {
      origin: now.origin,
      watchedMs,
      looks,
      // What is wrong with listeners and the namespace is in the report already.
      listeners: listeners.map((report) => ({ ...report, findings: [] })),
      host: [],
      pools: leaksOf(pools),
      seen: this.connections.seen(now.stack?.portRange),
      ...(counters && looks > 1 && { counters }),
      ...(first.stack && now.stack && { stack: { first: first.stack, last: now.stack } }),
      gaps: [],
    };
  }
}

const judged = ({ pools, findings }: PoolsReport): JudgedPool[] =>
  pools.map((pool, index) => ({ ...pool, findings: findings.filter((finding) => finding.pool === index) }));

const leaksOf = ({ findings, ...report }: PoolsReport): PoolsReport => ({
  ...report,
  findings: findings.filter(({ rule }) => OF_POOLS.has(rule)),
});

/** An owner may be found some looks after its socket: alerts are known by the end that they are about. */
function asCompanion({ about, subject, rule, severity, message, evidence, advice }: DiagnosisFinding) {
  const { owner: _, ...ends } = about;
  const isOwners = ends.local === undefined && ends.remote === undefined;
  const subjectText = isOwners ? subject : subjectOfEnds(ends);
  return { finding: { rule, severity, subject: subjectText, message, evidence, advice }, subjectText };
}

/** A namespace that was not looked into for so long is forgotten. */
const FORGET_MS = 120_000;

/** The findings of `diagnose` while `live` runs: at each look at all sockets, of the last 30 to 60 s. Warnings and worse. */
export class LiveDiagnosis implements Companion {
  private readonly namespaces = new Map<string, NamespaceDiagnosis>();

  take(observation: TableObservation, listeners: readonly ListenerReport[]): readonly CompanionFinding[] {
    const { netns = '', monotonic } = observation.origin;
    for (const [id, { seenAt }] of this.namespaces)
      if (monotonic - seenAt > FORGET_MS) this.namespaces.delete(id);
    const diagnosis = this.namespaces.get(netns) ?? new NamespaceDiagnosis();
    this.namespaces.set(netns, diagnosis);
    return diagnosis.take(observation, listeners);
  }

  poolsOf(netns = ''): readonly JudgedPool[] | undefined {
    return this.namespaces.get(netns)?.pools;
  }
}

/** The same of one network namespace. */
class NamespaceDiagnosis {
  private now: Generation | undefined;
  private next: Generation | undefined;
  private before: TableObservation | undefined;
  private last: readonly CompanionFinding[] = [];

  /** Monotonic ms of the last look. */
  get seenAt(): number {
    return this.before?.origin.monotonic ?? 0;
  }

  /** Of the last look at all sockets; `undefined`: none, or too many of them. */
  get pools(): readonly JudgedPool[] | undefined {
    return this.now?.seen;
  }

  take(observation: TableObservation, listeners: readonly ListenerReport[]): readonly CompanionFinding[] {
    if (this.before !== undefined && isOtherKernel(this.before.origin, observation.origin)) this.forget();
    this.before = observation;
    // Between two looks at everything nothing new is known.
    if (observation.scope !== 'all') return this.last;
    const generation = this.generationAt(observation);
    generation.take(observation);
    if (this.next !== generation) this.next?.take(observation);
    this.last = diagnose(generation.facts(observation, listeners))
      .findings.filter(({ severity }) => severity !== 'info')
      .map(asCompanion);
    return this.last;
  }

  private generationAt(observation: TableObservation): Generation {
    const { monotonic } = observation.origin;
    const age = (generation: Generation) => monotonic - generation.first.origin.monotonic;
    if (this.next !== undefined && age(this.next) >= GENERATION_MS) {
      this.now = this.next;
      this.next = undefined;
    }
    this.now ??= new Generation(observation);
    if (this.next === undefined && age(this.now) >= GENERATION_MS) this.next = new Generation(observation);
    return this.now;
  }

  private forget(): void {
    this.now = this.next = undefined;
    this.last = [];
  }
}
