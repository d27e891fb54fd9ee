import type { ClosedObservation, Gap, Origin } from '../model/observation.js';
import type { Source } from '../model/sockets.js';
import { SocketTable } from '../model/table.js';
import { millis } from '../model/units.js';
import { BeatHelper } from './beat-helper.js';
import type { ToldByTask } from './beat-tasks.js';
import type { ClosedTaken, ClosedTaskSpec } from './closed-task.js';
import { chooseFollowed, type Followed, GapsOf, lifeOf } from './followed.js';
import type { SourceChoice } from './options.js';
import { monotonicNow } from './origin.js';
import { SsEvents } from './ss-events.js';

/** Often enough for a small buffer too: without privilege it holds some 330 messages. */
const PERIOD_MS = 10;
/** Descriptions of one event take 1.3 kB of the kernel's memory (measured): 26,000 events, more than two seconds of 10,000 connections. */
const BUFFER_BYTES = 32 << 20;
/** Of all other namespaces together: each of many has room for some hundred events, and is asked a hundred times a second. */
const OTHERS_BYTES = 64 << 20;
const WHAT = 'connections that ended';
const NO_COUNT = 'ss tells of them, and not how many it has missed: all numbers are lower bounds';
/** /proc has no events. */
const NOT_ASKED = 'nobody is asked with --source proc: use netlink or ss';
/** A program that listens there would keep a namespace that its owner has removed. */
const NOT_THERE = "ss is asked only in sockwatch's own namespace";

/** Connections that ended in every followed namespace, from the kernel itself, in one thread; or from ss, of our own, where that is impossible. */
export class ClosedSource {
  private helper: BeatHelper | undefined;
  private events: SsEvents | undefined;
  private isAnnounced = false;
  private isOver = false;
  private gaps: readonly Gap[] = [];
  private followed: readonly Followed[] = [];
  private beyond: readonly Gap[] = [];
  /** Why the kernel does not tell, by key. */
  private faults: ReadonlyMap<string, ToldByTask> = new Map();

  /** @param path directories to search for programs */
  constructor(
    private readonly source: SourceChoice,
    private readonly path: string,
    private readonly originNow: (source: Source) => Origin,
  ) {
    if (source === 'proc') this.gaps = [{ what: WHAT, why: NOT_ASKED }];
  }

  /** From now on in these; those that are not there any more are let go at once, for an open socket would keep them. */
  follow(found: readonly Followed[]): void {
    this.followed = chooseFollowed(found, this.followed);
    const { length } = this.followed;
    const why = `told of ${length} of ${found.length} namespaces`;
    this.beyond = length < found.length ? [{ what: WHAT, why }] : [];
    if (this.helper !== undefined) this.helper.follow(this.specs());
    else if (this.source === 'ss') this.listenThroughSs();
    else if (this.source !== 'proc' && !this.isOver && length > 0)
      this.helper = new BeatHelper({ specs: this.specs(), periodMs: PERIOD_MS });
  }

  /** What has ended since the last time, in parts of bounded size; none where nobody tells. */
  async take(): Promise<ClosedObservation[]> {
    const answer = await this.helper?.take();
    const told = new Map(answer?.told.map((one) => [one.key, one]));
    const observations = this.followed.flatMap(({ id }) => {
      const batch = told.get(keyOf(id))?.batch as ClosedTaken | undefined;
      return batch === undefined ? [] : this.observations(batch, 'netlink', id);
    });
    if (answer !== undefined)
      this.faults = new Map(
        answer.told.filter(({ fault }) => fault !== undefined).map((one) => [one.key, one]),
      );
    const why = this.helper?.fault ?? this.faultOfAll();
    if (this.helper !== undefined && why !== undefined) await this.fallBack(why);
    const fromSs = this.events?.take();
    return fromSs === undefined ? observations : this.observations(fromSs, 'ss', this.own?.id);
  }

  /** Why nobody tells now: for a look that nothing came before. */
  get silence(): { readonly each: GapsOf; readonly ofAll: readonly Gap[] } {
    const each = new GapsOf();
    for (const one of this.followed) each.add(one.id, ...this.silenceOf(one));
    return { each, ofAll: this.beyond };
  }

  /** The thread and the program end with it. */
  async end(): Promise<void> {
    this.isOver = true;
    this.events?.end();
    await this.helper?.end();
    this.helper = this.events = undefined;
  }

  private get own(): Followed | undefined {
    return this.followed.find(({ place }) => place === undefined);
  }

  private silenceOf(one: Followed): readonly Gap[] {
    const fault = this.faultOf(one)?.fault;
    if (this.helper !== undefined) return fault === undefined ? [] : [{ what: WHAT, why: fault }];
    if (this.events === undefined) return this.gaps;
    if (one.place !== undefined) return [{ what: WHAT, why: NOT_THERE }];
    return this.events.silence === undefined ? [] : [this.events.silence];
  }

  /** Not that of another one which had its inode. */
  private faultOf(one: Followed): ToldByTask | undefined {
    const told = this.faults.get(keyOf(one.id));
    return told?.life === lifeOf(one) ? told : undefined;
  }

  /** Why the kernel tells of none of them. */
  private faultOfAll(): string | undefined {
    const faults = this.followed.map((one) => this.faultOf(one));
    const isDeaf = faults.every((one) => one !== undefined && one.isOfNamespace !== true);
    return isDeaf ? faults[0]?.fault : undefined;
  }

  private specs(): ClosedTaskSpec[] {
    const others = this.followed.filter(({ place }) => place !== undefined).length;
    // In steps: they are not resized with each that comes or goes.
    const bytes = Math.min(BUFFER_BYTES, OTHERS_BYTES / 2 ** Math.ceil(Math.log2(Math.max(1, others))));
    return this.followed.map((one) => ({
      kind: 'closed',
      key: keyOf(one.id),
      life: lifeOf(one),
      ...(one.place !== undefined && { place: one.place }),
      bufferBytes: one.place === undefined ? BUFFER_BYTES : bytes,
    }));
  }

  private async fallBack(why: string): Promise<void> {
    await this.helper?.end();
    this.helper = undefined;
    this.isOver = true;
    this.faults = new Map();
    if (this.source === 'auto' && this.own !== undefined) this.listenThroughSs();
    else this.gaps = [{ what: WHAT, why }];
  }

  private listenThroughSs(): void {
    if (this.own === undefined) this.gaps = [{ what: WHAT, why: NOT_THERE }];
    if (this.own === undefined || this.events !== undefined) return;
    this.gaps = [{ what: WHAT, why: NO_COUNT }];
    this.events = new SsEvents(this.path, monotonicNow);
  }

  private observations(
    taken: ClosedTaken,
    source: 'netlink' | 'ss',
    id: string | undefined,
  ): ClosedObservation[] {
    const { parts, lost, spanMs, unconnected, failedConnects } = taken;
    const origin = { ...this.originNow(source), ...(id !== undefined && { netns: id }) };
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

const keyOf = (id: string | undefined): string => `closed ${id ?? ''}`;
