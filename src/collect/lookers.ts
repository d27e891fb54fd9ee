import { join } from 'node:path';
import { SourceError } from '../model/errors.js';
import type { LookObservation, Origin } from '../model/observation.js';
import type { Source } from '../model/sockets.js';
import { findNamespace, isStillThere } from './find-namespace.js';
import type { Followed } from './followed.js';
import { type Looked, Looker, named } from './look.js';
import { ManyLooker } from './look-many.js';
import type { LookKind } from './look-plan.js';
import { NamedFinder } from './named-finder.js';
import { type FoundNamespace, NamespaceFinder } from './namespaces.js';
import { DumpHelper } from './netlink-helper.js';
import { NamespaceError } from './netns-enter.js';
import { ALL_NAMESPACES, type CollectOptions, type Door, type NamespaceOptions } from './options.js';
import { inodeOf, originMaker } from './origin.js';
import type { OwnerWish } from './owner-sight.js';

/** What looks at sockets: in our own namespace, in another one, in several, or in all. */
export interface Eyes {
  readonly hasTrouble: boolean;
  readonly givesParts: boolean;
  readonly originNow: (source: Source) => Origin;
  countSockets(): number | undefined;
  /** The namespaces that there are now, of which the next look tells; none where the one that was asked for is not there. Never throws. */
  find(): readonly Followed[];
  look(kind: LookKind | 'twice', wish: OwnerWish, signal?: AbortSignal): Promise<Looked<LookObservation>>;
}

export function eyesFor(options: CollectOptions | NamespaceOptions, door: Door): Eyes {
  const netns = 'netns' in options ? options.netns : undefined;
  const [first, ...others] = netns ?? [];
  if (first === undefined) return new Looker(options, door);
  if (netns?.includes(ALL_NAMESPACES)) return new ManyLooker(options, door, new NamespaceFinder(door));
  if (others.length > 0) return new ManyLooker(options, door, new NamedFinder([first, ...others], door));
  return new NamedLooker(options, door, first);
}

/** Looks into the namespace of a name, a pid or a path, also after it was made anew. */
class NamedLooker implements Eyes {
  private readonly helper = new DumpHelper();
  private readonly finder: NamespaceFinder;
  /** The last one that was found: what is said meanwhile is said of it. */
  private current:
    | { readonly found: FoundNamespace; readonly looker: Looker; readonly isOwn: boolean }
    | undefined;
  private isLost = false;
  private readonly ofHost: (source: Source) => Origin;

  constructor(
    private readonly options: CollectOptions,
    private readonly door: Door,
    private readonly asked: string,
  ) {
    this.finder = new NamespaceFinder(door);
    this.ofHost = originMaker(door.proc);
  }

  get hasTrouble(): boolean {
    return this.current?.looker.hasTrouble ?? false;
  }

  get givesParts(): boolean {
    return this.current?.looker.givesParts ?? true;
  }

  get originNow(): (source: Source) => Origin {
    return this.current?.looker.originNow ?? this.ofHost;
  }

  countSockets(): number | undefined {
    return this.current?.looker.countSockets();
  }

  /** Throws `SourceError` where there is no such namespace, or it may not be entered. */
  async look(
    kind: LookKind | 'twice',
    wish: OwnerWish,
    signal?: AbortSignal,
  ): Promise<Looked<LookObservation>> {
    const look = () => this.lookInto(kind, wish, signal);
    // Another process may be in it still, or another namespace have its name.
    return look().catch((error: unknown) => {
      if (error instanceof NamespaceError && error.fault === 'missing') return look();
      throw error;
    });
  }

  private async lookInto(
    kind: LookKind | 'twice',
    wish: OwnerWish,
    signal: AbortSignal | undefined,
  ): Promise<Looked<LookObservation>> {
    const { looker, found } = this.take();
    try {
      const { observation, costMs } = await looker.look(kind, wish, signal);
      return { observation: named(observation, found.namespace), costMs };
    } catch (error) {
      if (error instanceof NamespaceError) this.isLost = true;
      throw error;
    }
  }

  find(): readonly Followed[] {
    try {
      const { found, isOwn } = this.take();
      const { place, mark } = found;
      return [isOwn ? { id: place.id } : { id: place.id, place, mark }];
    } catch (error) {
      if (error instanceof SourceError) return []; // the look says why
      throw error;
    }
  }

  private take(): NonNullable<NamedLooker['current']> {
    const { current } = this;
    // The same name or pid may be another namespace by now.
    if (current !== undefined && !this.isLost && isStillThere(current.found)) return current;
    const found = this.findAsked();
    const { namespace, place, pid } = found;
    const isOwn = namespace.id === inodeOf(join(this.door.proc, 'self/ns/net'));
    const inside = { namespace, place, pid, helper: this.helper };
    const looker = new Looker(this.options, this.door, isOwn ? undefined : inside);
    this.current = { found, looker, isOwn };
    this.isLost = false;
    return this.current;
  }

  private findAsked(): FoundNamespace {
    try {
      return findNamespace(this.asked, this.finder, this.door);
    } catch (error) {
      const isGone = this.current !== undefined && error instanceof SourceError && error.fault === 'missing';
      if (!isGone) throw error;
      const why = `the network namespace "${this.asked}" went while it was watched`;
      throw new SourceError('gone', why, undefined, { cause: error });
    }
  }
}
