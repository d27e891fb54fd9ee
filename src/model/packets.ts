/**
 * Packets of a capture, many at a time, as columns over one buffer: no object for each packet and no copy of its bytes.
 * A batch is valid until the function that received it returns: then its memory is filled again.
 */
export interface PacketBatch {
  /** The memory that the packets lie in, and a view of the same memory. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly count: number;
  /** Offset in `bytes` of the first captured byte of each packet. */
  readonly at: Uint32Array;
  /** Bytes captured (present in `bytes`) of each packet. */
  readonly captured: Uint32Array;
  /** Bytes of each packet on the wire: more than captured where a snap length cut it. */
  readonly original: Uint32Array;
  /** Time of each packet, ns since `epochSeconds` of the capture (a float: exact for captures of up to 104 days). */
  readonly nanos: Float64Array;
  /** Link type (LINKTYPE_*, tcpdump.org/linktypes) of every packet of this batch. */
  readonly link: number;
  /** Number of the first packet, from 1 as in Wireshark; the others follow one by one. */
  readonly firstFrame: number;
  /** Which interface of the capture the packets come from: a pcapng interface, else 0. */
  readonly interfaceId: number;
  /** Comments of packets (pcapng), by index in the batch. Rare. */
  readonly comments?: ReadonlyMap<number, string>;
}

/** LINKTYPE_ numbers of tcpdump.org/linktypes. */
export const LINK = {
  null: 0,
  ethernet: 1,
  ppp: 9,
  pppHdlc: 50,
  pppEther: 51,
  rawBsd: 12,
  rawOpenBsd: 14,
  raw: 101,
  loop: 108,
  linuxSll: 113,
  ipv4: 228,
  ipv6: 229,
  nflog: 239,
  linuxSll2: 276,
} as const;

/** Whole seconds since 1970 that the times of one analysis count from: the second of its first packet. */
export interface CaptureClock {
  epochSeconds: number | undefined;
}

/** What is known of the captures that were read. */
export interface CaptureInfo {
  readonly files: readonly CaptureFile[];
  /** Seconds since 1970 that all `Nanos` count from. */
  readonly epochSeconds: number;
  readonly packets: number;
  /** Bytes read, after decompression. */
  readonly bytes: number;
}

export interface CaptureFile {
  /** As the user gave it; `-` for standard input, `tcpdump` for a running one. */
  readonly name: string;
  readonly format: 'pcap' | 'pcapng' | 'unknown';
  readonly compression?: 'gzip' | 'zstd';
  readonly packets: number;
  /** Snap length as the file states it; absent or 0: none. */
  readonly snapLength?: number;
  readonly links: readonly number[];
  /** Packets that the capturing program or interface reports as dropped (pcapng statistics, tcpdump). Absent: not said. */
  readonly dropped?: number;
  readonly fault?: CaptureFault;
}

/** Where a file stops making sense. Everything before it was read. */
export interface CaptureFault {
  /** Byte offset in the (decompressed) file. */
  readonly offset: number;
  /** The last whole packet before it; 0: none. */
  readonly frame: number;
  /** What was expected and what came: `record of 40 bytes ends after 12 (file truncated)`. */
  readonly message: string;
}
