import { diagnose, subjectText as subjectOfEnds } from '../analyze/diagnose.js';
import { LISTENER_RULES } from '../analyze/rules.js';
import type { ClosedReport } from '../model/closed.js';
import type { DiagnosisFinding } from '../model/diagnosis.js';
import type { Rule } from '../model/findings.js';
import type { ListenerReport } from '../model/listener.js';
import type { ClosedObservation, Origin, TableObservation } from '../model/observation.js';
import type { PoolsAtLook } from '../model/pools.js';
import { Generation } from './live-generation.js';
import { type Companion, type CompanionFinding, isOtherKernel } from './state.js';

/** What was seen longer ago than twice this does not count any more: a fault that is over clears. */
const GENERATION_MS = 30_000;
/** What is wrong with listeners is in the report already; here it may only be the cause of something. */
const OF_LISTENERS: ReadonlySet<Rule> = new Set(LISTENER_RULES.map(({ rule }) => rule));

/** An owner may be found some looks after its socket: alerts are known by the end that they are about. */
function asCompanion(found: DiagnosisFinding) {
  const { about, subject, rule, severity, message, evidence, advice, causedBy } = found;
  const { owner: _, ...ends } = about;
  const isOwners = ends.local === undefined && ends.remote === undefined;
  const subjectText = isOwners ? subject : subjectOfEnds(ends);
  const finding = { rule, severity, subject: subjectText, message, evidence, advice };
  return { finding: { ...finding, ...(causedBy && { causedBy }) }, subjectText };
}

/** A namespace that was not looked into for so long is forgotten. */
const FORGET_MS = 120_000;

/** The findings of `diagnose` while `live` runs: at each look at all sockets, of the last 30 to 60 s. Warnings and worse. */
export class LiveDiagnosis implements Companion {
  private readonly namespaces = new Map<string, NamespaceDiagnosis>();

  take(
    observation: TableObservation,
    listeners: readonly ListenerReport[],
    closed?: ClosedReport,
  ): readonly CompanionFinding[] {
    const { netns = '', monotonic } = observation.origin;
    for (const [id, { seenAt }] of this.namespaces)
      if (monotonic - seenAt > FORGET_MS) this.namespaces.delete(id);
    const diagnosis = this.namespaces.get(netns) ?? new NamespaceDiagnosis();
    this.namespaces.set(netns, diagnosis);
    return diagnosis.take(observation, listeners, closed);
  }

  takeClosed(observation: ClosedObservation): void {
    this.namespaces.get(observation.origin.netns ?? '')?.takeClosed(observation);
  }

  poolsOf(netns = ''): PoolsAtLook | undefined {
    return this.namespaces.get(netns)?.pools;
  }
}

/** The same of one network namespace. */
class NamespaceDiagnosis {
  private now: Generation | undefined;
  private next: Generation | undefined;
  private before: Origin | undefined;
  private last: readonly CompanionFinding[] = [];

  /** Monotonic ms of the last look. */
  get seenAt(): number {
    return this.before?.monotonic ?? 0;
  }

  /** Of the last look at all sockets; `undefined`: none, or too many of them. */
  get pools(): PoolsAtLook | undefined {
    return this.now?.seen;
  }

  takeClosed(observation: ClosedObservation): void {
    this.now?.takeClosed(observation);
    this.next?.takeClosed(observation);
  }

  take(
    observation: TableObservation,
    listeners: readonly ListenerReport[],
    closed: ClosedReport | undefined,
  ): readonly CompanionFinding[] {
    if (this.before !== undefined && isOtherKernel(this.before, observation.origin)) this.forget();
    this.before = observation.origin;
    // Between two looks at everything nothing new is known.
    if (observation.scope !== 'all') return this.last;
    const generation = this.generationAt(observation, closed);
    generation.take(observation);
    if (this.next !== generation) this.next?.take(observation);
    this.last = diagnose(generation.facts(observation, listeners, closed))
      .findings.filter(({ severity, rule }) => severity !== 'info' && !OF_LISTENERS.has(rule))
      .map(asCompanion);
    return this.last;
  }

  private generationAt(observation: TableObservation, closed: ClosedReport | undefined): Generation {
    const { monotonic } = observation.origin;
    const age = (generation: Generation) => monotonic - generation.first.origin.monotonic;
    if (this.next !== undefined && age(this.next) >= GENERATION_MS) {
      this.now = this.next;
      this.next = undefined;
    }
    this.now ??= new Generation(observation, closed);
    if (this.next === undefined && age(this.now) >= GENERATION_MS)
      this.next = new Generation(observation, closed);
    return this.now;
  }

  private forget(): void {
    this.now = this.next = undefined;
    this.last = [];
  }
}
