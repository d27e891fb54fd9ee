import { SourceError } from '../model/errors.js';
import type { MissingNamespace } from '../model/observation.js';
import { findNamespace, isStillThere } from './find-namespace.js';
import { type FoundNamespace, type FoundNamespaces, NamespaceFinder } from './namespaces.js';
import type { Door } from './options.js';

/** Finds the namespaces of several names, pids and paths, again and again: those that come late or were made anew too, each of them once. */
export class NamedFinder {
  private readonly finder: NamespaceFinder;
  private readonly current = new Map<string, FoundNamespace>();

  constructor(
    private readonly asked: readonly string[],
    private readonly door: Door,
  ) {
    this.finder = new NamespaceFinder(door);
  }

  find(): FoundNamespaces {
    const found = new Map<string, FoundNamespace>();
    const missing: MissingNamespace[] = [];
    for (const asked of this.asked) {
      const one = this.findOne(asked);
      if (one instanceof SourceError)
        missing.push({ asked, why: one.message, fault: one.fault, ...remedyOf(one) });
      else if (!found.has(one.namespace.id)) found.set(one.namespace.id, one);
    }
    const all = this.finder.find();
    const others = all.found.filter(({ namespace }) => !found.has(namespace.id));
    // One that is only seen where its file was named may have been there all the time.
    const areAmongAll = others.length + found.size === all.found.length;
    return {
      found: [...found.values()],
      hiddenProcesses: 0,
      ...(all.sight !== undefined && areAmongAll && { sight: all.sight }),
      missing,
      others: others.map(({ namespace }) => namespace),
    };
  }

  /** The same object as long as it is the same namespace. */
  private findOne(asked: string): FoundNamespace | SourceError {
    const before = this.current.get(asked);
    if (before !== undefined && isStillThere(before)) return before;
    this.current.delete(asked);
    try {
      const found = findNamespace(asked, this.finder, this.door);
      this.current.set(asked, found);
      return found;
    } catch (error) {
      if (error instanceof SourceError) return error;
      throw error;
    }
  }
}

const remedyOf = ({ remedy }: SourceError) => (remedy === undefined ? {} : { remedy });
