/** What is known of a file besides its packets. */
export interface FormatFacts {
  readonly format: 'pcap' | 'pcapng';
  readonly snapLength: number;
  readonly links: readonly number[];
  readonly dropped: number | undefined;
}

export interface Progress {
  /** Says that the file makes no sense from this offset of the buffer on. */
  fault(at: number, message: string): void;
  /** Leaves out bytes that go beyond the buffer. */
  skip(count: number): void;
}

/** How a kind of capture is read, piece by piece. */
export interface Format {
  readonly facts: FormatFacts;
  /** Bytes at the start that the constructor has read. */
  readonly headerBytes: number;
  /** Reads the whole records of `from` to `to`; gives the offset of the first one that is not whole. */
  parse(view: DataView, from: number, to: number, progress: Progress): number;
  /** Bytes that the record at `from` needs to be whole, as far as is known. */
  wanted(view: DataView, from: number, to: number): number;
}
