import type { ServeFacts } from '../../model/pools.js';
import { connections } from '../../model/units.js';

/** Requests of accepted connections, look by look: those under way, and those that nobody has read. */
export class ServeTally {
  private served = 0;
  private unread = 0;
  private looks = 0;
  private least = Number.POSITIVE_INFINITY;
  private most = 0;
  private leastUnread = Number.POSITIVE_INFINITY;

  begin(): void {
    this.served = this.unread = 0;
  }

  /** An accepted connection: with bytes that wait to be read, or busy without. */
  add(hasUnread: boolean, isBusy: boolean): void {
    if (hasUnread) this.unread++;
    else if (isBusy) this.served++;
  }

  /** Looks in a row at which requests waited to be read; another look begins anew. */
  finish(): void {
    if (this.unread === 0) {
      this.looks = this.most = 0;
      this.least = this.leastUnread = Number.POSITIVE_INFINITY;
      return;
    }
    this.looks++;
    this.least = Math.min(this.least, this.served);
    this.most = Math.max(this.most, this.served);
    this.leastUnread = Math.min(this.leastUnread, this.unread);
  }

  describe(): ServeFacts | undefined {
    if (this.looks === 0) return undefined;
    return {
      looks: this.looks,
      least: connections(this.least),
      most: connections(this.most),
      unread: connections(this.unread),
      leastUnread: connections(this.leastUnread),
    };
  }
}
