import { readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SourceError } from '../model/errors.js';
import type { LookObservation, Origin } from '../model/observation.js';
import type { Source } from '../model/sockets.js';
import type { Followed } from './followed.js';
import { HomeFinder } from './homes.js';
import { type Looked, Looker, named } from './look.js';
import { ManyLooker } from './look-many.js';
import type { LookKind } from './look-plan.js';
import { type FoundNamespace, NamespaceFinder } from './namespaces.js';
import { DumpHelper } from './netlink-helper.js';
import { NamespaceError } from './netns-enter.js';
import type { CollectOptions, Door, NamespaceOptions } from './options.js';
import { inodeOf, mountMark, originMaker } from './origin.js';
import type { OwnerWish } from './owner-sight.js';

/** What looks at sockets: in our own namespace, in another one, or in all. */
export interface Eyes {
  readonly hasTrouble: boolean;
  readonly givesParts: boolean;
  readonly originNow: (source: Source) => Origin;
  countSockets(): number | undefined;
  /** The namespaces that there are now, of which the next look tells; none where the one that was asked for is not there. Never throws. */
  find(): readonly Followed[];
  look(kind: LookKind | 'twice', wish: OwnerWish, signal?: AbortSignal): Promise<Looked<LookObservation>>;
}

/** The value of `--netns` that means every one of them. */
export const ALL_NAMESPACES = 'all';

export function eyesFor(options: CollectOptions | NamespaceOptions, door: Door): Eyes {
  const netns = 'netns' in options ? options.netns : undefined;
  if (netns === undefined) return new Looker(options, door);
  return netns === ALL_NAMESPACES ? new ManyLooker(options, door) : new NamedLooker(options, door, netns);
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
      const { place } = found;
      return [isOwn ? { id: place.id } : { id: place.id, place }];
    } catch (error) {
      if (error instanceof SourceError) return []; // the look says why
      throw error;
    }
  }

  private take(): NonNullable<NamedLooker['current']> {
    const { current } = this;
    // The same name or pid may be another namespace by now.
    if (current !== undefined && !this.isLost && isStillThere(current.found)) return current;
    const found = findNamespace(this.asked, this.finder, this.door);
    const { namespace, place, pid } = found;
    const isOwn = namespace.id === inodeOf(join(this.door.proc, 'self/ns/net'));
    const inside = { namespace, place, pid, helper: this.helper };
    const looker = new Looker(this.options, this.door, isOwn ? undefined : inside);
    this.current = { found, looker, isOwn };
    this.isLost = false;
    return this.current;
  }
}

/** Also where it was made anew with the inode of the one before. */
const isStillThere = ({ place, namespace, mark }: FoundNamespace): boolean =>
  inodeOf(place.path) === namespace.id && mark === mountMark(place);

const SEE = 'see what there is with: sockwatch snapshot --netns all';

/** Names before pids, for a name may be made of digits; then containers, by name or by the beginning of their id. */
function findNamespace(asked: string, finder: NamespaceFinder, door: Door): FoundNamespace {
  if (asked.startsWith('/')) return atPath(asked, finder);
  const { found } = finder.find();
  const named = found.find(({ namespace: { name, id } }) => name === asked || id === asked);
  if (named !== undefined) return named;
  if (/^[1-9]\d{0,9}$/.test(asked)) return ofProcess(Number(asked), found, door);
  const inContainer = found.filter(
    ({ namespace: { container } }) =>
      container?.name === asked || (asked.length >= SHORTEST_ID && container?.id.startsWith(asked)),
  );
  const [only, another] = inContainer;
  if (another !== undefined)
    throw new SourceError(
      'missing',
      `${inContainer.length} namespaces fit "${asked}"`,
      'give more of the id',
    );
  if (only !== undefined) return only;
  throw new SourceError('missing', `no network namespace or container is called "${asked}"`, SEE);
}

const SHORTEST_ID = 4;

function atPath(path: string, finder: NamespaceFinder): FoundNamespace {
  const id = inodeOf(path);
  if (id === undefined) throw new SourceError('missing', `${path} could not be read`, SEE);
  // A file of any other kind would only be found out when it is entered.
  if (statSync(path).dev !== statSync('/proc/self/ns/net').dev || isOfAnotherKind(path))
    throw new SourceError('missing', `${path} is no network namespace`, SEE);
  const known = finder.find().found.find(({ namespace }) => namespace.id === id);
  const { mark: _, ...rest } = known ?? {};
  const mark = mountMark({ id, path });
  return {
    ...rest,
    namespace: known?.namespace ?? { id },
    place: { id, path },
    ...(mark !== undefined && { mark }),
  };
}

/** The links of /proc/PID/ns say the kind, as `mnt:[4026531841]`; a file that was mounted does not. */
function isOfAnotherKind(path: string): boolean {
  try {
    const link = readlinkSync(path);
    return /^\w+:\[\d+\]$/.test(link) && !link.startsWith('net:');
  } catch {
    return false; // no link
  }
}

function ofProcess(pid: number, found: readonly FoundNamespace[], door: Door): FoundNamespace {
  const path = join(door.proc, String(pid), 'ns/net');
  const id = inodeOf(path);
  if (id === undefined) throw notOfProcess(pid, path);
  const known = found.find(({ namespace }) => namespace.id === id);
  // Of all that share its namespace, this process was meant.
  const home = new HomeFinder(door).homeOf(pid);
  return { namespace: { id, ...known?.namespace, ...home }, place: { id, path }, pid };
}

function notOfProcess(pid: number, path: string): SourceError {
  try {
    statSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES')
      return new SourceError(
        'permission',
        `the namespace of process ${pid} may not be seen`,
        'run as root, or with CAP_SYS_PTRACE to see it and CAP_SYS_ADMIN to enter it',
      );
  }
  return new SourceError('missing', `there is no process ${pid}`, SEE);
}
