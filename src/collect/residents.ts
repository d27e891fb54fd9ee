import type { Container, Home, Namespace } from '../model/namespace.js';
import type { HomeFinder } from './homes.js';
import { monotonicNow } from './origin.js';

/** Who lives in a network namespace. */
export type Residence = Pick<Namespace, 'container' | 'containers' | 'pod' | 'unit'>;

/** A runtime moves a process to its cgroup after it has started: what was read first is read again soon. */
const YOUNG_MS = 1000;
const READ_AGAIN_MS = 60_000;
/** Of one namespace: any user who may make cgroups can make names of containers. */
const MOST_CONTAINERS = 1000;

interface Kept {
  readonly netns: string;
  readonly home: Home | undefined;
  /** Monotonic, ms. */
  readonly readAgainAt: number;
}

/** Tells who lives in each network namespace. Homes are kept: on a host with thousands of processes they are not all read at each search. */
export class Residents {
  private kept = new Map<number, Kept>();

  constructor(private readonly homes: HomeFinder) {}

  /**
   * By id of the namespace.
   * @param processes ids of the namespaces of all processes that can be seen, by pid
   * @param seesAll no other process can be in one of them
   */
  find(processes: ReadonlyMap<number, string>, seesAll: boolean): ReadonlyMap<string, Residence> {
    const kept = new Map<number, Kept>();
    const homes = new Map<string, Home[]>();
    for (const [pid, netns] of [...processes].sort(([a], [b]) => a - b)) {
      const one = this.read(pid, netns);
      kept.set(pid, one);
      if (one.home === undefined) continue;
      const known = homes.get(netns);
      if (known === undefined) homes.set(netns, [one.home]);
      else known.push(one.home);
    }
    this.kept = kept;
    return new Map([...homes].map(([netns, all]) => [netns, residence(all, seesAll)]));
  }

  private read(pid: number, netns: string): Kept {
    const before = this.kept.get(pid);
    const now = monotonicNow();
    // In another namespace it is another process of that pid, or has moved.
    const isKnown = before !== undefined && before.netns === netns;
    if (isKnown && now < before.readAgainAt) return before;
    const readAgainAt = now + (isKnown ? READ_AGAIN_MS : YOUNG_MS);
    return { netns, home: this.homes.find(pid), readAgainAt };
  }
}

/** Of the homes of all processes of a namespace, that of the first before the others. */
function residence(homes: readonly Home[], seesAll: boolean): Residence {
  const byId = new Map<string, Container>();
  for (const { container } of homes)
    if (container !== undefined && byId.size < MOST_CONTAINERS) byId.set(container.id, container);
  const containers = [...byId.values()];
  const ofAll = homes.every(({ container }) => container !== undefined) && containers.length === 1;
  const [first] = homes;
  // Somebody who looks in from outside, with nsenter, makes it nobody else's.
  const container =
    seesAll && containers.length === 1 && first?.container !== undefined ? containers[0] : undefined;
  const pod = seesAll ? commonOf(homes, 'pod') : undefined;
  const unit = seesAll ? commonOf(homes, 'unit') : undefined;
  return {
    ...(container !== undefined && { container }),
    ...(containers.length > 0 && !(ofAll && seesAll) && { containers }),
    ...(pod !== undefined && { pod }),
    ...(unit !== undefined && { unit }),
  };
}

/** `undefined` where they are not all of one. */
function commonOf(homes: readonly Home[], what: 'pod' | 'unit'): string | undefined {
  const first = homes[0]?.[what];
  return homes.every((home) => home[what] === first) ? first : undefined;
}
