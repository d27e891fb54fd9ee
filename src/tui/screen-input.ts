import { StringDecoder } from 'node:string_decoder';
import { InputDecoder, type InputEvent } from './input.js';

/** A lone ESC that nothing follows within this time is the Escape key; slow lines split sequences. */
const ESCAPE_MS = 30;

/** Reads keys from the terminal, in raw mode; the screen library never sees them. */
export class TerminalInput {
  private readonly decoder = new InputDecoder();
  private readonly text = new StringDecoder('utf8');
  private timer: NodeJS.Timeout | undefined;
  /** The terminal went away: there is nothing to give back. */
  isGone = false;

  constructor(
    private readonly stdin: NodeJS.ReadStream,
    private readonly handle: (event: InputEvent) => void,
  ) {}

  start(): void {
    this.stdin.setRawMode(true);
    this.stdin.on('data', this.receive);
    this.stdin.resume();
  }

  /** Gives the terminal back; `start` takes it again. */
  stop(): void {
    clearTimeout(this.timer);
    this.stdin.off('data', this.receive);
    this.stdin.pause();
    const onError = () => {
      this.isGone = true;
    };
    this.stdin.once('error', onError);
    this.stdin.setRawMode(false);
    this.stdin.off('error', onError);
  }

  private readonly receive = (chunk: Buffer | string): void => {
    clearTimeout(this.timer);
    this.emit(this.decoder.feed(typeof chunk === 'string' ? chunk : this.text.write(chunk)));
    if (this.decoder.isWaiting) this.timer = setTimeout(() => this.emit(this.decoder.flush()), ESCAPE_MS);
  };

  private emit(events: readonly InputEvent[]): void {
    for (const event of events) this.handle(event);
  }
}
