import type { ClosedObservation, Gap, Origin } from '../model/observation.js';
import type { Source } from '../model/sockets.js';
import { SocketTable } from '../model/table.js';
import { millis } from '../model/units.js';
import { BeatHelper } from './beat-helper.js';
import type { ClosedTaken } from './closed-task.js';
import type { SourceChoice } from './options.js';
import { monotonicNow } from './origin.js';
import { SsEvents } from './ss-events.js';

/** Often enough for a small buffer too: without privilege it holds some 330 messages. */
const PERIOD_MS = 10;
const WHAT = 'connections that ended';
const NO_COUNT = 'ss tells of them, and not how many it has missed: all numbers are lower bounds';

/** Connections that ended, from the kernel itself, or from ss where that is impossible. */
export class ClosedSource {
  private helper: BeatHelper | undefined;
  private events: SsEvents | undefined;
  private isAnnounced = false;
  private gaps: readonly Gap[] = [];

  /** Starts to listen. @param path directories to search for programs */
  constructor(
    private readonly source: SourceChoice,
    private readonly path: string,
    private readonly originNow: (source: Source) => Origin,
  ) {
    if (source === 'ss') this.listenThroughSs();
    else if (source !== 'proc')
      this.helper = new BeatHelper({ specs: [{ kind: 'closed' }], periodMs: PERIOD_MS });
  }

  /** What has ended since the last time, in parts of bounded size; none where nobody tells. */
  async take(): Promise<ClosedObservation[]> {
    const told = await this.helper?.take();
    const taken = told?.batches[0] as ClosedTaken | undefined;
    if (taken !== undefined) return this.observations(taken, 'netlink');
    const why = told?.faults[0] ?? this.helper?.fault;
    if (this.helper !== undefined && why !== undefined) await this.fallBack(why);
    const fromSs = this.events?.take();
    return fromSs === undefined ? [] : this.observations(fromSs, 'ss');
  }

  /** Why nobody tells now: for a look that nothing came before. */
  get silence(): readonly Gap[] {
    if (this.helper !== undefined) return [];
    if (this.events === undefined) return this.gaps;
    return this.events.silence === undefined ? [] : [this.events.silence];
  }

  /** The thread and the program end with it. */
  async end(): Promise<void> {
    this.events?.end();
    await this.helper?.end();
    this.helper = this.events = undefined;
  }

  private async fallBack(why: string): Promise<void> {
    await this.helper?.end();
    this.helper = undefined;
    if (this.source === 'netlink') this.gaps = [{ what: WHAT, why }];
    else this.listenThroughSs();
  }

  private listenThroughSs(): void {
    this.gaps = [{ what: WHAT, why: NO_COUNT }];
    this.events = new SsEvents(this.path, monotonicNow);
  }

  private observations(taken: ClosedTaken, source: 'netlink' | 'ss'): ClosedObservation[] {
    const { parts, lost, spanMs, unconnected, failedConnects } = taken;
    const origin = this.originNow(source);
    const gaps = [...taken.gaps, ...(this.isAnnounced ? [] : this.gaps)];
    this.isAnnounced = true;
    const tables = parts.length === 0 ? [new SocketTable()] : parts.map((one) => SocketTable.fromParts(one));
    const nothing = { incomplete: false, lost: 0, unconnected: 0, failedConnects: 0, gaps: [] };
    return tables.map((sockets, index): ClosedObservation => {
      const base = { kind: 'closed' as const, origin, sockets, spanMs: millis(spanMs) };
      if (index < tables.length - 1) return { ...base, ...nothing };
      const incomplete = lost === undefined || lost > 0;
      return { ...base, incomplete, ...(lost !== undefined && { lost }), unconnected, failedConnects, gaps };
    });
  }
}
