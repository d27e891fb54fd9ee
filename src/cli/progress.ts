import { formatBytes, formatDuration } from '../render/text.js';

const EVERY_MS = 100;
const START_AFTER_MS = 500;

/** One line on a terminal's stderr that tells how far reading has come: bytes, rate, time left. Silent elsewhere. */
export class Progress {
  private readonly startedAt = performance.now();
  private nextAt = this.startedAt + START_AFTER_MS;
  private shown = false;

  constructor(private readonly stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write'>) {}

  tell(bytes: number, total: number | undefined): void {
    const now = performance.now();
    if (!this.stream.isTTY || now < this.nextAt) return;
    this.nextAt = now + EVERY_MS;
    this.shown = true;
    const rate = bytes / ((now - this.startedAt) / 1000);
    const share = total ? ` of ${formatBytes(total)} (${Math.floor((bytes / total) * 100)}%)` : '';
    const left = total && rate > 0 ? `, ${formatDuration(((total - bytes) / rate) * 1000)} left` : '';
    this.stream.write(`\r\x1b[Kreading ${formatBytes(bytes)}${share}, ${formatBytes(rate)}/s${left}`);
  }

  /** Takes the line away again. */
  end(): void {
    if (this.shown) this.stream.write('\r\x1b[K');
  }
}
