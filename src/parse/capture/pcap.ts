import type { CaptureClock } from '../../model/packets.js';
import type { BatchBuilder } from './batch.js';
import type { Format, FormatFacts, Progress } from './format.js';

export const PCAP_HEADER_BYTES = 24;
/** libpcap's MAXIMUM_SNAPLEN; a file may state more, up to a limit of ours. */
const USUAL_SNAP_LENGTH = 262_144;
const MOST_SNAP_LENGTH = 16 << 20;

const MICROSECONDS = 0xa1b2c3d4;
const NANOSECONDS = 0xa1b23c4d;
/** Kuznetzov's patch: the record header goes on with interface, protocol and packet type. */
const MODIFIED = 0xa1b2cd34;
const MAGICS = [MICROSECONDS, NANOSECONDS, MODIFIED];

/** Whether the first four bytes are those of a classic capture. */
export const isPcap = (view: DataView, at: number): boolean =>
  MAGICS.includes(view.getUint32(at)) || MAGICS.includes(view.getUint32(at, true));

/** The classic format: a header, then records (draft-ietf-opsawg-pcap, and libpcap for the old variants). */
export class PcapFormat implements Format {
  readonly facts: FormatFacts;
  readonly headerBytes = PCAP_HEADER_BYTES;
  private readonly little: boolean;
  private readonly nanosPerUnit: number;
  private readonly recordBytes: number;
  private readonly mostBytes: number;
  /** Version 2.2 has the lengths the other way round; 2.3 has them either way. */
  private readonly swap: 'always' | 'maybe' | 'never';

  constructor(
    view: DataView,
    at: number,
    private readonly batch: BatchBuilder,
    private readonly clock: CaptureClock,
  ) {
    this.little = MAGICS.includes(view.getUint32(at, true));
    const magic = view.getUint32(at, this.little);
    const minor = view.getUint16(at + 6, this.little);
    const snapLength = view.getUint32(at + 16, this.little);
    // The upper bits hold the length of the frame check sequence.
    const link = view.getUint32(at + 20, this.little) & 0xffff;
    this.nanosPerUnit = magic === NANOSECONDS ? 1 : 1000;
    this.recordBytes = magic === MODIFIED ? 24 : 16;
    this.swap = minor < 3 ? 'always' : minor === 3 ? 'maybe' : 'never';
    this.mostBytes = Math.max(USUAL_SNAP_LENGTH, Math.min(snapLength, MOST_SNAP_LENGTH));
    this.facts = { format: 'pcap', snapLength, links: [link], dropped: undefined };
    batch.setInterface(link, 0);
  }

  parse(view: DataView, from: number, to: number, progress: Progress): number {
    const { little, recordBytes, nanosPerUnit, batch, mostBytes, clock } = this;
    let at = from;
    while (to - at >= recordBytes) {
      const seconds = view.getUint32(at, little);
      let captured = view.getUint32(at + 8, little);
      let original = view.getUint32(at + 12, little);
      if (this.swap !== 'never' && (this.swap === 'always' || captured > original)) {
        const kept = captured;
        captured = original;
        original = kept;
      }
      if (captured > mostBytes) {
        progress.fault(at, `a record of ${captured} bytes: more than a packet can have (${mostBytes})`);
        return at;
      }
      const data = at + recordBytes;
      if (to - data < captured) break;
      clock.epochSeconds ??= seconds;
      const nanos = (seconds - clock.epochSeconds) * 1e9 + view.getUint32(at + 4, little) * nanosPerUnit;
      batch.add(data, captured, original, nanos);
      at = data + captured;
    }
    return at;
  }

  wanted(view: DataView, from: number, to: number): number {
    if (to - from < this.recordBytes) return this.recordBytes;
    const one = view.getUint32(from + 8, this.little);
    const other = view.getUint32(from + 12, this.little);
    const swapped = this.swap === 'always' || (this.swap === 'maybe' && one > other);
    return this.recordBytes + (swapped ? other : one);
  }
}
