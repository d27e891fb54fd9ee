import type { DiagnosisPart } from '../model/diagnosis.js';
import type { Namespace } from '../model/namespace.js';
import type { Gap, NamespacesObservation, Observation } from '../model/observation.js';
import { type Beside, type DiagnosisFilter, DiagnosisWatch } from './diagnosis.js';
import { NamespaceLives } from './namespace-lives.js';
import type { WatchConfig } from './state.js';

/** Reads what the sockets of one namespace do not tell. `isOwn`: it is that of sockwatch, or the only one. */
export type ReadBeside = (watch: Pick<DiagnosisWatch, 'pids' | 'hasUnanswered'>, isOwn: boolean) => Beside;

interface Member {
  readonly watch: DiagnosisWatch;
  /** Absent: that of sockwatch, or the only one that was asked for. */
  namespace?: Namespace;
  /** The last look at all that met it. */
  round: number;
}

const MOST_NAMESPACES = 1000;

/** Watches each network namespace by itself: its counters, settings and sockets say nothing of another one. */
export class DiagnosisWatches {
  private readonly members = new Map<string, Member>();
  private readonly lives = new NamespaceLives();
  private gapsOfAll: readonly Gap[] = [];
  private round = 0;
  private forgotten = 0;

  constructor(
    private readonly config: WatchConfig,
    private readonly filter?: DiagnosisFilter,
  ) {}

  take(observation: Observation): void {
    this.lives.follow(observation);
    if (observation.kind === 'namespaces') this.takeAll(observation);
    else this.memberOf(observation).watch.take(observation);
  }

  private takeAll({ looks, origin, gaps }: NamespacesObservation): void {
    this.gapsOfAll = gaps;
    this.round++;
    for (const look of looks) {
      const member = this.memberOf(look);
      const { netns: id = '' } = look.origin;
      if (id !== origin.netns) member.namespace = look.namespace ?? { id };
      member.round = this.round;
      member.watch.take(look);
    }
    this.forget();
  }

  /**
   * One for each namespace that had a complete look; none before that. Those that went are told of as they were last.
   * @param besideOf absent: they are not of this host
   */
  facts(besideOf?: ReadBeside): readonly DiagnosisPart[] {
    return [...this.members.values()].flatMap(({ watch, namespace }) => {
      const facts = watch.facts(besideOf?.(watch, namespace === undefined) ?? {});
      return facts === undefined ? [] : [{ facts, ...(namespace && { namespace }) }];
    });
  }

  /** What concerns all of them. */
  get gaps(): readonly Gap[] {
    const { forgotten } = this;
    const why = `${forgotten} that went early were forgotten: there are too many`;
    return [...this.gapsOfAll, ...this.lives.gaps, ...(forgotten === 0 ? [] : [{ what: 'namespaces', why }])];
  }

  /** Of those that went the ones that were met first; a host can make any number of them. */
  private forget(): void {
    for (const [key, { round }] of this.members) {
      if (this.members.size <= MOST_NAMESPACES) return;
      if (round === this.round) continue;
      this.members.delete(key);
      this.forgotten++;
    }
  }

  private memberOf(observation: Observation): Member {
    const key = this.lives.keyOf(observation);
    const known = this.members.get(key) ?? {
      watch: new DiagnosisWatch(this.config, this.filter),
      round: this.round,
    };
    this.members.set(key, known);
    return known;
  }
}
