import type { CaptureClock } from '../../model/packets.js';
import type { BatchBuilder } from './batch.js';
import type { Format, FormatFacts, Progress } from './format.js';

const SECTION = 0x0a0d0d0a;
const BYTE_ORDER = 0x1a2b3c4d;
const INTERFACE = 1;
const OLD_PACKET = 2;
const SIMPLE_PACKET = 3;
const STATISTICS = 5;
const ENHANCED_PACKET = 6;
const MOST_BLOCK = 17 << 20;
const MOST_COMMENT = 4096;
const MOST_INTERFACES = 65_536;

interface Interface {
  readonly link: number;
  readonly snapLength: number;
  /** Nanoseconds of a unit of its times. */
  readonly nanosPerUnit: number;
  readonly unitsPerSecond: bigint;
  readonly offsetSeconds: number;
  dropped: number | undefined;
  /** The first time seen, in units and as nanoseconds of the clock: later ones count from it, which is exact for 104 days. */
  base?: { readonly high: number; readonly low: number; readonly nanos: number };
}

export const isPcapng = (view: DataView, at: number): boolean => view.getUint32(at) === SECTION;

/** pcapng: sections of blocks (draft-ietf-opsawg-pcapng). */
export class PcapngFormat implements Format {
  readonly headerBytes = 0;
  private little = true;
  private interfaces: Interface[] = [];
  /** Those of sections before. */
  private droppedBefore: number | undefined;
  private readonly links = new Set<number>();
  private snapLength = 0;
  private firstInterface = 0;
  private lastNanos = 0;

  constructor(
    private readonly batch: BatchBuilder,
    private readonly clock: CaptureClock,
  ) {}

  get facts(): FormatFacts {
    const dropped = this.interfaces.reduce(addDropped, this.droppedBefore);
    return { format: 'pcapng', snapLength: this.snapLength, links: [...this.links], dropped };
  }

  parse(view: DataView, from: number, to: number, progress: Progress): number {
    let at = from;
    while (to - at >= 12) {
      if (view.getUint32(at) === SECTION && !this.section(view, at, progress)) return at;
      const type = view.getUint32(at, this.little);
      const length = view.getUint32(at + 4, this.little);
      if (length < 12 || length % 4 !== 0) {
        progress.fault(at, `a block of ${length} bytes: blocks have 12 or more, a multiple of 4`);
        return at;
      }
      if (to - at < length) {
        const isRead = type >= INTERFACE && type <= ENHANCED_PACKET;
        if (length <= MOST_BLOCK) break;
        if (isRead) {
          progress.fault(at, `a block of ${length} bytes: more than a packet can have (${MOST_BLOCK})`);
          return at;
        }
        progress.skip(length - (to - at));
        return to;
      }
      const fault = this.block(view, type, at + 8, at + length - 4);
      if (fault !== undefined) {
        progress.fault(at, fault);
        return at;
      }
      at += length;
    }
    return at;
  }

  wanted(view: DataView, from: number, to: number): number {
    return to - from < 8 ? 12 : view.getUint32(from + 4, this.little);
  }

  private section(view: DataView, at: number, progress: Progress): boolean {
    const big = view.getUint32(at + 8) === BYTE_ORDER;
    if (!big && view.getUint32(at + 8, true) !== BYTE_ORDER) {
      progress.fault(at, 'a section header without its byte-order mark');
      return false;
    }
    this.little = !big;
    this.droppedBefore = this.interfaces.reduce(addDropped, this.droppedBefore);
    this.firstInterface += this.interfaces.length;
    this.interfaces = [];
    return true;
  }

  /** The body of a block, without its lengths; gives what is wrong with it. */
  private block(view: DataView, type: number, from: number, to: number): string | undefined {
    switch (type) {
      case INTERFACE:
        return this.interfaceBlock(view, from, to);
      case ENHANCED_PACKET:
        return this.packet(
          view,
          from,
          to,
          20,
          view.byteLength - from >= 4 ? view.getUint32(from, this.little) : 0,
        );
      case OLD_PACKET:
        return this.packet(
          view,
          from,
          to,
          20,
          view.byteLength - from >= 2 ? view.getUint16(from, this.little) : 0,
        );
      case SIMPLE_PACKET:
        return this.simplePacket(view, from, to);
      case STATISTICS:
        this.statistics(view, from, to);
        return undefined;
      default:
        return undefined;
    }
  }

  private interfaceBlock(view: DataView, from: number, to: number): string | undefined {
    if (to - from < 8) return 'an interface description that is too short';
    if (this.interfaces.length >= MOST_INTERFACES) return `more than ${MOST_INTERFACES} interfaces`;
    const link = view.getUint16(from, this.little);
    const snapLength = view.getUint32(from + 4, this.little);
    let resolution = 6;
    let offsetSeconds = 0;
    this.options(view, from + 8, to, (code, at, length) => {
      if (code === 9 && length >= 1) resolution = view.getUint8(at);
      if (code === 14 && length >= 8) offsetSeconds = Number(view.getBigInt64(at, this.little));
    });
    const isBinary = (resolution & 0x80) !== 0;
    const power = resolution & 0x7f;
    const unitsPerSecond = isBinary ? 2n ** BigInt(Math.min(power, 63)) : 10n ** BigInt(Math.min(power, 18));
    const nanosPerUnit = 1e9 / Number(unitsPerSecond);
    this.interfaces.push({
      link,
      snapLength,
      nanosPerUnit,
      unitsPerSecond,
      offsetSeconds,
      dropped: undefined,
    });
    this.links.add(link);
    this.snapLength = Math.max(this.snapLength, snapLength);
    return undefined;
  }

  /** Enhanced and obsolete packet blocks have times and lengths at the same places. */
  private packet(
    view: DataView,
    from: number,
    to: number,
    headerBytes: number,
    interfaceId: number,
  ): string | undefined {
    if (to - from < headerBytes) return 'a packet block that is too short';
    const source = this.interfaces[interfaceId];
    if (source === undefined) return `a packet of interface ${interfaceId}, which was not described`;
    const { little } = this;
    const captured = view.getUint32(from + 12, little);
    const original = view.getUint32(from + 16, little);
    if (captured > to - from - headerBytes)
      return `a packet of ${captured} bytes in a block for ${to - from - headerBytes}`;
    const nanos = this.nanosOf(source, view.getUint32(from + 4, little), view.getUint32(from + 8, little));
    this.batch.setInterface(source.link, this.firstInterface + interfaceId);
    const options = from + headerBytes + ((captured + 3) & ~3);
    if (to - options >= 4) this.comments(view, options, to);
    this.batch.add(from + headerBytes, captured, original, nanos);
    return undefined;
  }

  private comments(view: DataView, from: number, to: number): void {
    this.options(view, from, to, (code, at, length) => {
      if (code !== 1 || length === 0) return;
      const bytes = new Uint8Array(view.buffer, view.byteOffset + at, Math.min(length, MOST_COMMENT));
      this.batch.comment(new TextDecoder().decode(bytes));
    });
  }

  private simplePacket(view: DataView, from: number, to: number): string | undefined {
    const source = this.interfaces[0];
    if (to - from < 4) return 'a packet block that is too short';
    if (source === undefined) return 'a packet of interface 0, which was not described';
    const original = view.getUint32(from, this.little);
    const limit = source.snapLength === 0 ? original : Math.min(original, source.snapLength);
    this.batch.setInterface(source.link, this.firstInterface);
    // These blocks have no time: that of the packet before is the best that is known.
    this.batch.add(from + 4, Math.min(limit, to - from - 4), original, this.lastNanos);
    return undefined;
  }

  private nanosOf(source: Interface, high: number, low: number): number {
    source.base ??= this.baseOf(source, high, low);
    const units = (high - source.base.high) * 2 ** 32 + (low - source.base.low);
    this.lastNanos = Math.round(source.base.nanos + units * source.nanosPerUnit);
    return this.lastNanos;
  }

  private baseOf(source: Interface, high: number, low: number) {
    const units = (BigInt(high) << 32n) | BigInt(low);
    const seconds = Number(units / source.unitsPerSecond) + source.offsetSeconds;
    const rest = Number(((units % source.unitsPerSecond) * 1_000_000_000n) / source.unitsPerSecond);
    this.clock.epochSeconds ??= seconds;
    return { high, low, nanos: (seconds - this.clock.epochSeconds) * 1e9 + rest };
  }

  private statistics(view: DataView, from: number, to: number): void {
    if (to - from < 12) return;
    const source = this.interfaces[view.getUint32(from, this.little)];
    if (source === undefined) return;
    let dropped: number | undefined;
    this.options(view, from + 12, to, (code, at, length) => {
      // isb_ifdrop and isb_osdrop.
      if ((code === 5 || code === 7) && length >= 8)
        dropped = (dropped ?? 0) + Number(view.getBigUint64(at, this.little));
    });
    // Each block counts from the start of the capture.
    if (dropped !== undefined) source.dropped = Math.max(source.dropped ?? 0, dropped);
  }

  private options(
    view: DataView,
    from: number,
    to: number,
    take: (code: number, at: number, length: number) => void,
  ): void {
    for (let at = from; to - at >= 4; ) {
      const code = view.getUint16(at, this.little);
      const length = view.getUint16(at + 2, this.little);
      if (code === 0 || to - at - 4 < length) return;
      take(code, at + 4, length);
      at += 4 + ((length + 3) & ~3);
    }
  }
}

const addDropped = (sum: number | undefined, { dropped }: Interface): number | undefined =>
  dropped === undefined ? sum : (sum ?? 0) + dropped;
