import { ByteText } from '../render/byte-text.js';
import { writePieces } from './output.js';

/** What was told since the last flush, as bytes. They are written from where they lie, while what comes next goes elsewhere. */
export class Outbox {
  private filling = new ByteText();
  private resting = new ByteText();
  private writing = Promise.resolve();
  /** Nobody reads any more. */
  closed = false;

  constructor(private readonly stream: NodeJS.WriteStream) {}

  /** Where text goes until the next flush. */
  get text(): ByteText {
    return this.filling;
  }

  /** Resolves when the stream has taken everything told so far. One after the other, where several ask. */
  flush(): Promise<void> {
    this.writing = this.writing.then(() => this.write());
    return this.writing;
  }

  private async write(): Promise<void> {
    const { filling } = this;
    if (filling.length === 0 || this.closed) return filling.clear();
    this.filling = this.resting;
    this.resting = filling;
    if ((await writePieces([filling.written()], this.stream)) === 'closed') this.closed = true;
    filling.clear();
  }
}
