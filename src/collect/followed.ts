import type { Gap, LookObservation, NetnsMark } from '../model/observation.js';
import type { NamespacePlace } from './netns-enter.js';

/** A network namespace that is followed between the looks. */
export interface Followed {
  /** Inode, as text; absent: our own, whose inode could not be read. */
  readonly id: string | undefined;
  /** Where it is entered; absent: our own. */
  readonly place?: NamespacePlace;
  /** Of the file of that place. */
  readonly mark?: NetnsMark | undefined;
}

/** Which of those that have one inode in turn: what could not be opened in one says nothing of the next. */
export const lifeOf = ({ place, mark }: Followed): string => `${place?.path ?? ''} ${mark ?? ''}`;

/** So many at once: each takes three sockets, and a part of what the thread and the kernel may hold. */
export const MOST_FOLLOWED = 128;

/** Those that are followed already before the others: what is followed in turns tells nothing of any. */
export function chooseFollowed(
  found: readonly Followed[],
  before: readonly Followed[],
  most = MOST_FOLLOWED,
): readonly Followed[] {
  if (found.length <= most) return found;
  const known = new Set(before.map(({ id }) => id));
  const isKnown = ({ id }: Followed) => known.has(id);
  return [...found.filter(isKnown), ...found.filter((one) => !isKnown(one))].slice(0, most);
}

/** What is missing in each namespace, by id. */
export class GapsOf {
  private readonly gaps = new Map<string | undefined, Gap[]>();

  add(id: string | undefined, ...gaps: readonly Gap[]): void {
    this.gaps.set(id, [...(this.gaps.get(id) ?? []), ...gaps]);
  }

  of(id: string | undefined): readonly Gap[] {
    return this.gaps.get(id) ?? [];
  }
}

/** A look with what is missing between it and the one before: in each namespace, and in all of them. */
export function withGaps<T extends LookObservation>(look: T, ofAll: readonly Gap[], each: GapsOf): T {
  if (look.kind === 'table')
    return { ...look, gaps: [...look.gaps, ...ofAll, ...each.of(look.origin.netns)] };
  return {
    ...look,
    looks: look.looks.map((one) => {
      const gaps = each.of(one.origin.netns);
      return gaps.length === 0 || one.kind === 'gap' ? one : { ...one, gaps: [...one.gaps, ...gaps] };
    }),
    gaps: [...look.gaps, ...ofAll],
  };
}
