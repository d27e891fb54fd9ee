import { EVENT_KINDS, type EventKind, type TraceEvent } from '../model/trace.js';
import type { Nanos } from '../model/trace-moment.js';
import { FLOW, type Flows, INT, STRIDE } from './flows.js';
import type { Packet } from './packet.js';

export const EVENT = Object.fromEntries(EVENT_KINDS.map((kind, index) => [kind, index])) as Readonly<
  Record<EventKind, number>
>;

const NONE = -1;
const START = 4096;
const FIELDS = 9;
const F = { next: 0, kind: 1, frame: 2, seq: 3, ack: 4, length: 5, flags: 6, window: 7, detail: 8 } as const;
/** Most kept for a connection that is not followed. */
const MOST = 64;

/** What happened in connections, as rows of an arena with one list for each connection. Only turning points and trouble, or all of one. */
export class Events {
  private ints = new Int32Array(START * FIELDS);
  private moments = new Float64Array(START);
  private readonly texts = new Map<number, string>();
  private free = NONE;
  private size = 0;
  /** Slot of which every packet is kept; -1: none. */
  followed = NONE;

  constructor(private readonly flows: Flows) {}

  /** A packet that means something. `direction` 0: from the client. */
  add(slot: number, kind: number, direction: number, packet: Packet, detail = 0): void {
    const row = this.append(slot, kind, direction, packet.frame, packet.time);
    if (row === NONE) return;
    const { ints } = this;
    const at = row * FIELDS;
    ints[at + F.seq] = packet.seq;
    ints[at + F.ack] = packet.ack;
    ints[at + F.length] = packet.payloadLength;
    ints[at + F.flags] = packet.flags;
    ints[at + F.window] = packet.window;
    ints[at + F.detail] = detail;
  }

  /** Something that a layer above TCP saw, or that is no packet of its own. */
  note(
    slot: number,
    kind: number,
    direction: number,
    at: { frame: number; time: number },
    text?: string,
    detail = 0,
  ): void {
    const row = this.append(slot, kind, direction, at.frame, at.time);
    if (row === NONE) return;
    this.ints[row * FIELDS + F.flags] = NONE;
    this.ints[row * FIELDS + F.detail] = detail;
    if (text !== undefined) this.texts.set(row, text);
  }

  private append(slot: number, kind: number, direction: number, frame: number, time: number): number {
    const { flows } = this;
    const base = slot * STRIDE;
    const count = flows.ints[base + INT.eventCount] ?? 0;
    if (count >= MOST && slot !== this.followed) {
      flows.set(slot, FLOW.eventsCut);
      return NONE;
    }
    const row = this.take();
    const at = row * FIELDS;
    this.ints[at + F.next] = NONE;
    this.ints[at + F.kind] = kind * 2 + direction;
    this.ints[at + F.frame] = frame;
    this.moments[row] = time;
    const last = flows.ints[base + INT.lastEvent] ?? NONE;
    if (last === NONE) flows.ints[base + INT.firstEvent] = row;
    else this.ints[last * FIELDS + F.next] = row;
    flows.ints[base + INT.lastEvent] = row;
    flows.ints[base + INT.eventCount] = count + 1;
    return row;
  }

  private take(): number {
    if (this.free !== NONE) {
      const row = this.free;
      this.free = this.ints[row * FIELDS + F.next] ?? NONE;
      return row;
    }
    if (this.size >= this.moments.length) this.grow();
    return this.size++;
  }

  private grow(): void {
    const ints = new Int32Array(this.ints.length * 2);
    ints.set(this.ints);
    this.ints = ints;
    const times = new Float64Array(this.moments.length * 2);
    times.set(this.moments);
    this.moments = times;
  }

  /** Gives the rows of a connection back. */
  release(slot: number): void {
    let row = this.flows.int(slot, INT.firstEvent);
    while (row !== NONE) {
      const next = this.ints[row * FIELDS + F.next] ?? NONE;
      if (this.texts.size > 0) this.texts.delete(row);
      this.ints[row * FIELDS + F.next] = this.free;
      this.free = row;
      row = next;
    }
    this.flows.ints[slot * STRIDE + INT.firstEvent] = NONE;
    this.flows.ints[slot * STRIDE + INT.lastEvent] = NONE;
    this.flows.ints[slot * STRIDE + INT.eventCount] = 0;
  }

  /** Times of the events of one kind, in order. */
  times(slot: number, kind: EventKind): number[] {
    const wanted = EVENT[kind];
    const times: number[] = [];
    for (let row = this.flows.int(slot, INT.firstEvent); row !== NONE; row = this.at(row, F.next)) {
      if (this.at(row, F.kind) >>> 1 === wanted) times.push(this.moments[row] ?? 0);
    }
    return times;
  }

  /** Sides were taken for each other. */
  swap(slot: number): void {
    for (let row = this.flows.int(slot, INT.firstEvent); row !== NONE; row = this.at(row, F.next)) {
      this.ints[row * FIELDS + F.kind] = this.at(row, F.kind) ^ 1;
    }
  }

  private at(row: number, field: number): number {
    return this.ints[row * FIELDS + field] ?? 0;
  }

  /**
   * The events of a connection, in order.
   * @param bases first sequence number of each direction, where known
   * @param scales of the windows, -1 where unknown
   */
  list(
    slot: number,
    bases: readonly [number | undefined, number | undefined],
    scales: readonly [number, number],
  ): TraceEvent[] {
    const events: TraceEvent[] = [];
    for (let row = this.flows.int(slot, INT.firstEvent); row !== NONE; row = this.at(row, F.next)) {
      events.push(this.event(row, bases, scales));
    }
    return events;
  }

  private event(
    row: number,
    bases: readonly [number | undefined, number | undefined],
    scales: readonly [number, number],
  ): TraceEvent {
    const kind = this.at(row, F.kind);
    const direction = kind & 1;
    const flags = this.at(row, F.flags);
    const common = {
      kind: EVENT_KINDS[kind >>> 1] ?? 'data',
      from: direction === 0 ? ('client' as const) : ('server' as const),
      frame: this.at(row, F.frame) >>> 0,
      time: (this.moments[row] ?? 0) as Nanos,
    };
    const detail = this.at(row, F.detail);
    const text = this.texts.get(row);
    const rest = { ...(detail !== 0 && { detail }), ...(text !== undefined && { text }) };
    if (flags === NONE) return { ...common, length: 0, ...rest };
    const base = direction === 0 ? bases[0] : bases[1];
    const other = direction === 0 ? bases[1] : bases[0];
    const scale = Math.max(0, (flags & 2) !== 0 ? 0 : (scales[direction as 0 | 1] ?? 0));
    return {
      ...common,
      ...(base !== undefined && { seq: (this.at(row, F.seq) - base) >>> 0 }),
      ...(other !== undefined && (flags & 16) !== 0 && { ack: (this.at(row, F.ack) - other) >>> 0 }),
      length: this.at(row, F.length),
      flags,
      window: this.at(row, F.window) * 2 ** scale,
      ...rest,
    };
  }
}
