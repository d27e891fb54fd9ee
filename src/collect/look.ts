import type { Gap, Origin, TableObservation } from '../model/observation.js';
import type { Source } from '../model/sockets.js';
import { millis } from '../model/units.js';
import { readDescriptors } from './descriptors.js';
import type { LookKind } from './look-plan.js';
import type { CollectOptions, Door } from './options.js';
import { originMaker } from './origin.js';
import { OwnerFinder } from './owners.js';
import { countSockets, readCounters, readSysctls } from './proc.js';
import { readProcesses } from './process-facts.js';
import { SocketSource, type SourceLook } from './source.js';
import { readStackFacts } from './stack-facts.js';

interface OwnerWish {
  /** Owners of every row, not only of listeners and of rows that were asked for. */
  readonly everything: boolean;
  /** Also of those whose descriptor had another socket before. */
  readonly thorough?: boolean;
  /** How long to wait for them; `Infinity`: until they are known. */
  readonly patienceMs: number;
}

/**
 * Puts one observation together: the counters and at once the sockets, then owners and descriptors. Counters come first:
 * an overflow that they tell of has its listener still full, or its drops counted, in the sockets that follow.
 */
export class Looker {
  readonly source: SocketSource;
  private readonly owners: OwnerFinder | undefined;
  readonly originNow: (source: Source) => Origin;

  constructor(
    private readonly options: CollectOptions,
    private readonly door: Door,
  ) {
    this.source = new SocketSource(options, door);
    this.originNow = originMaker(door.proc);
    this.owners = options.owners ? new OwnerFinder(door.proc) : undefined;
  }

  /** About how many sockets the namespace has. */
  countSockets(): number | undefined {
    return countSockets(this.door.proc);
  }

  async look(
    read: LookKind | 'twice',
    wish: OwnerWish,
    signal?: AbortSignal,
  ): Promise<{ observation: TableObservation; costMs: number }> {
    const counters = readCounters(this.door.proc);
    const started = performance.now();
    const cpu = process.cpuUsage();
    const isPatient = wish.patienceMs === Number.POSITIVE_INFINITY;
    // With time to wait, descriptors are read while the sockets come; else sockets come first.
    if (isPatient) void this.owners?.warmUp(signal, true);
    const how = { mayBlock: isPatient && this.owners === undefined, signal };
    // When the dump begins: what comes while it goes on belongs to the time after it, at every look alike.
    const begun = this.originNow('ss');
    const look = await (read === 'twice' ? this.source.lookTwice(how) : this.source.look(read, how));
    const tookMs = performance.now() - started;
    const { user, system } = process.cpuUsage(cpu);
    const origin: Origin = { ...begun, source: look.source };
    const gaps = await this.findOwners(look, wish, signal);
    const observation: TableObservation = {
      kind: 'table',
      origin,
      scope: look.scope,
      sockets: look.sockets,
      ...(counters !== undefined && { counters }),
      sysctls: readSysctls(this.door.proc),
      ...(this.owners !== undefined && {
        descriptors: readDescriptors(look.sockets, this.door.proc),
        processes: readProcesses(look.sockets, this.door),
      }),
      ...(this.options.stack && look.scope === 'all' && { stack: readStackFacts(this.door.proc) }),
      tookMs: millis(tookMs),
      skippedTicks: 0,
      gaps: [...look.gaps, ...gaps],
    };
    return { observation, costMs: tookMs + (user + system) / 1000 };
  }

  private async findOwners(
    look: SourceLook,
    wish: OwnerWish,
    signal: AbortSignal | undefined,
  ): Promise<Gap[]> {
    if (this.owners === undefined) return [];
    await this.owners.update(look.sockets, { ...wish, signal });
    signal?.throwIfAborted();
    look.sockets.attachOwners(this.owners);
    return this.owners.gaps();
  }
}
