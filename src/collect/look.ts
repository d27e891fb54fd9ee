import { join } from 'node:path';
import type { Namespace } from '../model/namespace.js';
import type { Origin, TableObservation } from '../model/observation.js';
import type { Source } from '../model/sockets.js';
import type { SocketTable } from '../model/table.js';
import { millis } from '../model/units.js';
import type { Followed } from './followed.js';
import { FACT_FILES, readHostFacts } from './host-facts.js';
import type { Inside } from './inside.js';
import type { LookKind } from './look-plan.js';
import type { CollectOptions, Door } from './options.js';
import { mountMark, originMaker } from './origin.js';
import { OwnerSight, type OwnerWish } from './owner-sight.js';
import {
  countSockets,
  LOOK_FILES,
  ownProc,
  type ReadProc,
  readCounters,
  readProcOf,
  readSysctls,
} from './proc.js';
import { readText } from './small-files.js';
import { SocketSource, type SourceLook } from './source.js';
import { readStackFacts, STACK_FILES } from './stack-facts.js';

/** A look, and what it cost: wall time and our own processor's. */
export interface Looked<T> {
  readonly observation: T;
  readonly costMs: number;
}

/** A look into a namespace of which more is known than its id. */
export function named(observation: TableObservation, namespace: Namespace): TableObservation {
  observation.sockets.sections = [{ from: 0, namespace }];
  return { ...observation, namespace };
}

/** What lasts from look to look into one namespace that is not our own. */
export interface LookerInside extends Omit<Inside, 'files'> {
  readonly namespace: Namespace;
}

/**
 * Puts one observation together: the counters and at once the sockets, then owners and descriptors. Counters come first:
 * an overflow that they tell of has its listener still full, or its drops counted, in the sockets that follow.
 */
export class Looker {
  readonly source: SocketSource;
  /** Reads sockets without what is costly of them. */
  private plain: SocketSource | undefined;
  private readonly sight: Inside | undefined;
  private readonly owners: OwnerSight | undefined;
  private readonly withFacts: boolean;
  private readonly withStack: boolean;
  readonly originNow: (source: Source) => Origin;
  /** Of the last look into another namespace. */
  private texts: Readonly<Record<string, string>> = {};

  constructor(
    private readonly options: CollectOptions,
    private readonly door: Door,
    private readonly inside?: LookerInside,
  ) {
    this.withFacts = options.facts ?? false;
    this.withStack = options.stack ?? false;
    const files = [
      ...LOOK_FILES,
      ...(this.withFacts ? FACT_FILES : []),
      ...(this.withStack ? STACK_FILES : []),
    ];
    this.source = new SocketSource(options, door, inside && { ...inside, files: [...new Set(files)] });
    this.sight = inside && { ...inside, files: [] };
    const ofHost = originMaker(door.proc);
    this.originNow =
      inside === undefined ? ofHost : (source) => ({ ...ofHost(source), netns: inside.namespace.id });
    this.owners = options.owners ? new OwnerSight(door) : undefined;
  }

  /** Some accept queue was not empty at the look before. */
  get hasTrouble(): boolean {
    return this.source.ports.length > 0;
  }

  get givesParts(): boolean {
    return this.source.givesParts;
  }

  /** About how many sockets the namespace has. */
  countSockets(): number | undefined {
    return countSockets(this.inside === undefined ? this.door.proc : readProcOf(this.texts));
  }

  find(): readonly Followed[] {
    const { place } = this.inside ?? {};
    return [place === undefined ? { id: this.originNow('netlink').netns } : { id: place.id, place }];
  }

  async look(
    kind: LookKind | 'twice',
    wish: OwnerWish,
    signal?: AbortSignal,
  ): Promise<Looked<TableObservation>> {
    const isPatient = wish.patienceMs === Number.POSITIVE_INFINITY;
    // With time to wait, descriptors are read while the sockets come; else sockets come first.
    if (isPatient) this.owners?.begin(signal);
    const mayBlock = isPatient && this.owners === undefined;
    const { observation, costMs } = await this.read(kind, mayBlock, signal);
    if (this.owners === undefined) return { observation, costMs };
    const { sockets } = observation;
    const gaps = await this.owners.find([sockets], wish, () => this.readAgain(signal), signal);
    const facts = this.owners.factsOf(sockets);
    return { observation: { ...observation, ...facts, gaps: [...observation.gaps, ...gaps] }, costMs };
  }

  /** All sockets once more, for which of them are left; `undefined` where they cannot be read now. */
  async readAgain(signal: AbortSignal | undefined): Promise<SocketTable | undefined> {
    this.plain ??= new SocketSource({ ...this.options, scope: 'all', details: false }, this.door, this.sight);
    try {
      return (await this.plain.look('complete', { signal })).sockets;
    } catch {
      signal?.throwIfAborted();
      return undefined;
    }
  }

  /** Without owners. `mayBlock`: nobody needs this thread meanwhile. */
  async read(
    kind: LookKind | 'twice',
    mayBlock: boolean,
    signal?: AbortSignal,
  ): Promise<Looked<TableObservation>> {
    const counters = this.inside === undefined ? readCounters(this.door.proc) : undefined;
    const started = performance.now();
    const cpu = process.cpuUsage();
    const how = { mayBlock, signal };
    // When the dump begins: what comes while it goes on belongs to the time after it, at every look alike.
    const begun = this.originNow('ss');
    const look = await (kind === 'twice' ? this.source.lookTwice(how) : this.source.look(kind, how));
    const tookMs = performance.now() - started;
    const { user, system } = process.cpuUsage(cpu);
    const mark = look.netnsMark ?? (this.inside && mountMark(this.inside.place));
    const origin: Origin = { ...begun, source: look.source, ...(mark !== undefined && { netnsMark: mark }) };
    const read = this.readerOf(look);
    const there = counters ?? readCounters(read);
    const namespace =
      this.inside?.namespace ?? (origin.netns === undefined ? undefined : { id: origin.netns });
    if (namespace !== undefined) look.sockets.sections = [{ from: 0, namespace }];
    const observation: TableObservation = {
      kind: 'table',
      origin,
      scope: look.scope,
      sockets: look.sockets,
      ...(there !== undefined && { counters: there }),
      sysctls: readSysctls(read),
      ...(this.withFacts && { facts: readHostFacts(read) }),
      ...(this.withStack && look.scope === 'all' && { stack: readStackFacts(read) }),
      ...(this.inside !== undefined && { namespace: this.inside.namespace }),
      tookMs: millis(tookMs),
      skippedTicks: 0,
      gaps: look.gaps,
    };
    return { observation, costMs: tookMs + (user + system) / 1000 };
  }

  /** Never our own files for those of another namespace: what cannot be read there is unknown. */
  private readerOf({ texts }: SourceLook): ReadProc {
    const { inside, door } = this;
    if (inside === undefined) return ownProc(door.proc);
    const { pid } = inside;
    if (texts === undefined)
      return (file) =>
        pid !== undefined && file.startsWith('net/')
          ? readText(join(door.proc, String(pid), file))
          : undefined;
    this.texts = texts;
    return readProcOf(texts);
  }
}
