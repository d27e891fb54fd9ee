import { connect, type Socket } from 'node:net';
import { THINK_MS } from './demo-schedule.js';

/** A client that is not let in goes away and comes again. */
const PATIENCE_MS = 2500;

/** A bounded crowd that visits the demo's listener: each comes, asks, waits for its answer, and comes again. */
export class DemoClients {
  private readonly inside = new Set<Socket>();
  private thinking = 0;
  private wanted = 0;
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(private readonly port: number) {}

  /** How many clients there shall be; those that are too many leave when answered, or at once if not let in. */
  aim(wanted: number): void {
    this.wanted = wanted;
    while (this.inside.size + this.thinking < wanted) this.visit();
    this.dismissUnconnected();
  }

  end(): void {
    this.wanted = 0;
    for (const timer of this.timers) clearTimeout(timer);
    for (const socket of this.inside) socket.destroy();
  }

  private visit(): void {
    const socket = connect({ host: '127.0.0.1', port: this.port });
    const giveUp = this.later(PATIENCE_MS, () => socket.destroy());
    this.inside.add(socket);
    socket.on('error', () => {});
    socket.on('connect', () => {
      this.forget(giveUp);
      socket.write('GET / HTTP/1.0\r\n\r\n');
    });
    // A reset leaves no TIME-WAIT behind: the demo shall not fill the table of the host.
    socket.once('data', () => socket.resetAndDestroy());
    socket.on('close', () => {
      this.forget(giveUp);
      this.inside.delete(socket);
      this.comeAgain();
    });
  }

  private comeAgain(): void {
    if (this.inside.size + this.thinking >= this.wanted) return;
    this.thinking++;
    this.later(THINK_MS, () => {
      this.thinking--;
      if (this.inside.size + this.thinking < this.wanted) this.visit();
    });
  }

  private dismissUnconnected(): void {
    let surplus = this.inside.size - this.wanted;
    for (const socket of this.inside) {
      if (surplus <= 0) return;
      if (!socket.connecting) continue;
      socket.destroy();
      surplus--;
    }
  }

  private later(ms: number, act: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      act();
    }, ms);
    this.timers.add(timer);
    return timer;
  }

  private forget(timer: NodeJS.Timeout): void {
    clearTimeout(timer);
    this.timers.delete(timer);
  }
}
