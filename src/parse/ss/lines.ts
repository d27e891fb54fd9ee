import { NEWLINE, plainBytes } from '../bytes.js';

/** No line of ss comes near: what is longer is not worth memory. */
export const MAX_LINE = 1 << 20;
/** Several lines that a newline in a name has made of one. */
export const MAX_JOINED = 1 << 16;

/** What `endOf` says instead of an offset. */
export const NOT_YET = -1;
export const TOO_LONG = -2;
export const NO_MORE = -3;

const NOTHING = new Uint8Array(0);

/**
 * Chunks of any size in, whole lines out: `bytes` from `start` to `limit` is what has not been read yet.
 * A chunk that begins with a line is read where it lies; only an unfinished line at its end is copied.
 */
export class LineBuffer {
  bytes: Uint8Array = NOTHING;
  start = 0;
  private limit = 0;
  private store: Uint8Array = NOTHING;
  private ended = false;
  private skipping = false;

  /** False where nothing new can be read yet, so that single bytes do not cost a search each. */
  add(chunk: Uint8Array): boolean {
    const plain = plainBytes(chunk);
    if (this.start === this.limit) {
      this.bytes = plain;
      this.start = 0;
      this.limit = plain.length;
      return true;
    }
    this.append(plain);
    return plain.indexOf(NEWLINE) >= 0 || this.limit - this.start > MAX_LINE + MAX_JOINED;
  }

  finish(): void {
    this.ended = true;
    // A reader may look a few bytes past the end: there must be nothing of an older line.
    if (this.bytes === this.store) this.store.fill(NEWLINE, this.limit);
  }

  /** Keeps what has not been read, for the caller may use its chunk again. */
  settle(): void {
    if (this.bytes === this.store || this.start === this.limit) return;
    const rest = this.bytes.subarray(this.start, this.limit);
    if (this.store.length < rest.length) this.store = new Uint8Array(roomFor(rest.length));
    this.store.set(rest);
    this.bytes = this.store;
    this.start = 0;
    this.limit = rest.length;
  }

  /** Offset of the newline (or of the end of the input) that ends the line at `from`. */
  endOf(from: number): number {
    if (from >= this.limit) return this.ended ? NO_MORE : NOT_YET;
    const found = this.bytes.indexOf(NEWLINE, from);
    if (found >= 0 && found < this.limit) return found - from > MAX_LINE ? TOO_LONG : found;
    if (this.limit - from > MAX_LINE) return TOO_LONG;
    return this.ended ? this.limit : NOT_YET;
  }

  /** Goes past the line that ends at `stop`. */
  pass(stop: number): void {
    this.start = Math.min(stop + 1, this.limit);
  }

  /** Drops the line at `start`; what of it is still to come is dropped as it comes. */
  drop(): void {
    this.skipping = true;
  }

  /** True where no dropped line stands in the way. */
  get ready(): boolean {
    if (!this.skipping) return true;
    const found = this.bytes.indexOf(NEWLINE, this.start);
    this.skipping = found < 0 || found >= this.limit;
    this.start = this.skipping ? this.limit : found + 1;
    return !this.skipping;
  }

  private append(chunk: Uint8Array): void {
    const length = this.limit - this.start;
    if (this.bytes !== this.store || this.limit + chunk.length > this.store.length) {
      const rest = this.bytes.subarray(this.start, this.limit);
      if (length + chunk.length > this.store.length) {
        const wider = new Uint8Array(roomFor(length + chunk.length));
        wider.set(rest);
        this.store = wider;
      } else this.store.set(rest);
      this.bytes = this.store;
      this.start = 0;
      this.limit = length;
    }
    this.store.set(chunk, this.limit);
    this.limit += chunk.length;
  }
}

const roomFor = (length: number): number => Math.max(4096, 2 ** Math.ceil(Math.log2(length * 2)));
