import type { PacketBatch } from '../../model/packets.js';

const MOST = 16_384;

/** Collects packets of one link and interface into columns, and hands them over when there are enough. */
export class BatchBuilder {
  private readonly at = new Uint32Array(MOST);
  private readonly captured = new Uint32Array(MOST);
  private readonly original = new Uint32Array(MOST);
  private readonly nanos = new Float64Array(MOST);
  private count = 0;
  private comments: Map<number, string> | undefined;
  private bytes: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(new ArrayBuffer(0));
  link = 0;
  interfaceId = 0;

  constructor(
    private readonly sink: (batch: PacketBatch) => void,
    /** Number of the next packet. */
    public nextFrame: number,
  ) {}

  /** The memory that the packets to come lie in. */
  setMemory(bytes: Uint8Array, view: DataView): void {
    this.bytes = bytes;
    this.view = view;
  }

  add(at: number, captured: number, original: number, nanos: number): void {
    const index = this.count;
    this.at[index] = at;
    this.captured[index] = captured;
    this.original[index] = original;
    this.nanos[index] = nanos;
    this.nextFrame++;
    if (++this.count === MOST) this.flush();
  }

  /** Of the packet that comes next; it may have several. */
  comment(text: string): void {
    this.comments ??= new Map();
    const before = this.comments.get(this.count);
    this.comments.set(this.count, before === undefined ? text : `${before}\n${text}`);
  }

  setInterface(link: number, interfaceId: number): void {
    if (link === this.link && interfaceId === this.interfaceId) return;
    this.flush();
    this.link = link;
    this.interfaceId = interfaceId;
  }

  flush(): void {
    const { count, comments } = this;
    if (count === 0) return;
    this.count = 0;
    this.comments = undefined;
    this.sink({
      bytes: this.bytes,
      view: this.view,
      count,
      at: this.at,
      captured: this.captured,
      original: this.original,
      nanos: this.nanos,
      link: this.link,
      firstFrame: this.nextFrame - count,
      interfaceId: this.interfaceId,
      ...(comments !== undefined && { comments }),
    });
  }
}
