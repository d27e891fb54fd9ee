import {
  type Gap,
  isOtherMark,
  type NetnsMark,
  type Observation,
  type Origin,
} from '../model/observation.js';
import { textOf } from './namespace-words.js';
import { isOtherNamespace } from './state.js';

/** Tells namespaces apart over many looks: also one from the next that got its inode, and that of a name from the one that has it later. */
export class NamespaceLives {
  private readonly marks = new Map<string, NetnsMark>();
  private readonly lives = new Map<string, number>();
  private readonly anew = new Map<string, Gap>();
  private last: Origin | undefined;

  /** Names the namespace that an observation is of: its id, and which one in a row has that. */
  keyOf(observation: Observation): string {
    const { netns = '', netnsMark: mark } = observation.origin;
    if (isOtherMark(this.marks.get(netns), mark)) this.lives.set(netns, (this.lives.get(netns) ?? 0) + 1);
    if (mark !== undefined) this.marks.set(netns, mark);
    const life = this.lives.get(netns) ?? 0;
    return life === 0 ? netns : `${netns} ${life}`;
  }

  /** Takes a look at the one namespace that was asked for: another one by now is worth a word. */
  follow({ kind, origin, ...observation }: Observation): void {
    if (kind !== 'table' || !('namespace' in observation) || observation.namespace === undefined) return;
    const { last } = this;
    this.last = origin;
    if (last === undefined || !isOtherNamespace(last, origin)) return;
    const what = textOf(observation.namespace);
    const why = 'made anew while it was watched: what was seen of the one before is told apart, up to then';
    this.anew.set(what, { what, why });
  }

  get gaps(): readonly Gap[] {
    return [...this.anew.values()];
  }
}
