import type { Gap, TableObservation } from '../model/observation.js';
import type { SocketTable } from '../model/table.js';
import { readDescriptors } from './descriptors.js';
import { HomeFinder } from './homes.js';
import type { Door } from './options.js';
import { OwnerFinder } from './owners.js';
import { readProcesses } from './process-facts.js';

export interface OwnerWish {
  /** Owners of every row, not only of listeners and of rows that were asked for. */
  readonly everything: boolean;
  /** Also of those whose descriptor had another socket before. */
  readonly thorough?: boolean;
  /** How long to wait for them; `Infinity`: until they are known. */
  readonly patienceMs: number;
}

/** The sockets of the namespace of a table as they are now; `undefined` where they cannot be read. */
type ReadAgain = (table: SocketTable) => Promise<SocketTable | undefined>;

/** Finds owners of sockets, and where they live: the same for all namespaces, for inodes are the kernel's. */
export class OwnerSight {
  private readonly finder: OwnerFinder;
  private readonly homes: HomeFinder;

  constructor(private readonly door: Door) {
    this.finder = new OwnerFinder(door.proc);
    this.homes = new HomeFinder(door);
  }

  /** Starts to read descriptors, to go on while the sockets come. */
  begin(signal: AbortSignal | undefined): void {
    void this.finder.warmUp(signal, true);
  }

  /** Gives what could not be seen. Throws the reason of the signal. */
  async find(
    tables: readonly SocketTable[],
    wish: OwnerWish,
    again: ReadAgain,
    signal: AbortSignal | undefined,
  ): Promise<Gap[]> {
    await this.finder.update(tables, { ...wish, signal });
    signal?.throwIfAborted();
    // At the screen nobody waits for a second look.
    if (wish.patienceMs === Number.POSITIVE_INFINITY) await this.settle(tables, again);
    signal?.throwIfAborted();
    for (const table of tables) table.attachOwners(this.finder);
    this.homes.forgetOthers();
    return this.finder.gaps();
  }

  /** Where processes are hidden, a socket without one has a hidden owner if it outlived the search, and else none. */
  private async settle(tables: readonly SocketTable[], again: ReadAgain): Promise<void> {
    const after: SocketTable[] = [];
    for (const table of tables) {
      if (!this.finder.isInDoubt(table)) continue;
      const now = await again(table);
      // Unread they stay unknown.
      if (now === undefined) return;
      after.push(now);
    }
    if (after.length > 0) this.finder.settle(after);
  }

  /** Of a table whose owners were found. */
  factsOf(table: SocketTable): Pick<TableObservation, 'descriptors' | 'processes' | 'homes'> {
    return {
      descriptors: readDescriptors(table, this.door.proc),
      processes: readProcesses(table, this.door),
      homes: this.homes.ofListeners(table),
    };
  }
}
