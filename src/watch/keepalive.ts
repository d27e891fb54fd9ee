import type { Closer, IdleClose, IdleCloses } from '../model/keepalive.js';
import { millis } from '../model/units.js';

/** `reset`: without a FIN of either side. */
export type Ending = Closer | 'reset' | 'unknown';

/** Below this it is the end of a conversation, not idleness. */
export const LEAST_IDLE_MS = 500;
const KEPT = 64;
/** Times of the kernel are jiffies of 4 to 10 ms. */
const GRAIN_MS = 20;
/** So many, this share of all, and so near to each other make a timeout. */
const TIMEOUT = { closes: 3, share: 0.6, jitterMs: 40, jitterShare: 0.02, widthMs: 100, widthShare: 0.1 };
/** Closed together, they may as well have ended with their process: only different moments tell. */
const MOMENTS = { apartMs: 250, apartShare: 0.05, least: 2 };

/** One connection that ended while it was idle: it had been so for `low` to `high` ms. */
interface Close {
  readonly by: Ending;
  readonly low: number;
  readonly high: number;
  /** Monotonic ms. */
  readonly at: number;
}

/** The ends of idle connections of one pool: the last 64 of them. */
export class IdleCloseBook {
  private closes: Close[] | undefined;
  /**
   * Data went from here before some FINs: what is in FIN-WAIT-2 without a process has no times (tcp_time_wait), and nobody can tell of which the peer
   * left them unread.
   */
  hasFarewells = false;
  private lost = 0;
  /** Closed from here first, and ended by a reset: what came, nobody can tell. */
  private resets: Close[] | undefined;
  /** Closed from here first, and ended by a reset because of data that had been sent before. */
  private crossed: Close[] | undefined;
  /** Of the FINs of the peer, how many were answered with what is as long as a close_notify of TLS. */
  private alerts = 0;
  private lostAfter: number[] | undefined;
  /** Idle times before requests that were not acknowledged and ended by a reset, without a FIN. */
  private unanswered: { readonly afterMs: number; readonly rttMs: number }[] | undefined;

  /** Without data for `low` to `high` ms when it was closed; shorter ones are not idle. */
  note(by: Ending, low: number, high: number, at: number): void {
    if (!(low >= LEAST_IDLE_MS) || !(high >= low)) return;
    this.closes ??= [];
    if (this.closes.push({ by, low, high, at }) > KEPT) this.closes.shift();
  }

  /** Closed from here after `low` to `high` ms without data; a reset came instead of the FIN of the peer. */
  noteReset(low: number, high: number, at: number): void {
    this.resets ??= [];
    if (this.resets.push({ by: 'self', low, high, at }) > KEPT) this.resets.shift();
  }

  /** The same, and data came that the peer had sent before it had the FIN. */
  noteCrossed(low: number, high: number, at: number): void {
    if (!(low >= LEAST_IDLE_MS) || !(high >= low)) return;
    this.crossed ??= [];
    if (this.crossed.push({ by: 'self', low, high, at }) > KEPT) this.crossed.shift();
  }

  /** The FIN of the peer was answered with a close_notify of TLS, by its length: nothing was lost. */
  noteAlert(): void {
    this.alerts++;
  }

  /** A request, sent after `afterMs` without data, met the FIN of the peer. */
  noteLost(afterMs: number): void {
    this.lost++;
    this.lostAfter ??= [];
    if (this.lostAfter.push(afterMs) > KEPT) this.lostAfter.shift();
  }

  /** A request, sent after `afterMs` without data, was never acknowledged; a reset came, without a FIN of the peer. `rttMs`: 0 where unknown. */
  noteUnanswered(afterMs: number, rttMs: number): void {
    this.unanswered ??= [];
    if (this.unanswered.push({ afterMs, rttMs }) > KEPT) this.unanswered.shift();
  }

  describe(): IdleCloses {
    const timeout = this.timeout();
    const alerts = this.alerts > 0 ? { alerts: this.alerts } : {};
    if (timeout?.reset === true) return { timeout, ...alerts, ...this.lostToReset(timeout) };
    const own = timeout?.by === 'self' ? timeout : undefined;
    const lostHere = own === undefined ? 0 : nearTo(own, this.crossed);
    const by: Closer = this.lost >= lostHere ? 'peer' : 'self';
    const count = Math.max(this.lost, lostHere);
    const after = by === 'peer' ? median(this.lostAfter ?? []) : undefined;
    const resets = own === undefined ? this.scatteredResets() : nearTo(own, this.resets);
    return {
      ...(timeout && { timeout }),
      ...alerts,
      ...(resets > 0 && { resets }),
      ...(count > 0 && { lost: { by, count, ...(after !== undefined && { afterMs: millis(after) }) } }),
    };
  }

  private timeout(): IdleClose | undefined {
    const { closes = [] } = this;
    const found = (['peer', 'self'] as const).flatMap((by) => {
      const timeout = timeoutOf(closes.filter((close) => close.by === by));
      return timeout === undefined ? [] : [{ by, ...timeout }];
    });
    const unseen = this.timeoutUnseen();
    return (
      [...found, ...(unseen ? [unseen] : [])].sort((a, b) => b.closes - a.closes)[0] ??
      this.timeoutByReset([])
    );
  }

  /**
   * Of those whose FIN nobody saw. What a reset ends is gone at once, while its process may close it only after a look, which then cannot tell: beside others that surely
   * ended so after the same time, these did too.
   */
  private timeoutUnseen(): IdleClose | undefined {
    const unknown = (this.closes ?? []).filter(({ by }) => by === 'unknown');
    const timeout = timeoutOf(unknown);
    return (timeout && this.timeoutByReset([]) && this.timeoutByReset(unknown)) ?? timeout;
  }

  /** Where no FIN tells of one: some servers end idle connections by a reset alone (MariaDB, measured). */
  private timeoutByReset(more: readonly Close[]): IdleClose | undefined {
    const resets = (this.closes ?? []).filter(({ by }) => by === 'reset');
    // The socket ends when the reset comes: no round trip lies between. But a process that holds it is told of late on a busy machine, and the kernel then too.
    const prompt = resets.map((close) => ({ ...close, low: Math.max(close.low, close.high - GRAIN_MS) }));
    const timeout = timeoutOf([...prompt, ...more]) ?? timeoutOf([...resets, ...more]);
    return timeout && { reset: true, ...timeout };
  }

  /** Requests of which the reset of that timeout came instead of an acknowledgement: sent less than a round trip before it. What met a FIN is surer. */
  private lostToReset({ ms, withinMs }: IdleClose): Pick<IdleCloses, 'lost'> {
    const slack = jitter(ms) + withinMs;
    const near = (this.unanswered ?? [])
      .filter(({ afterMs, rttMs }) => afterMs <= ms + slack && afterMs + rttMs >= ms - slack)
      .map(({ afterMs }) => afterMs);
    const after = median(this.lost > 0 ? (this.lostAfter ?? []) : near);
    if (after === undefined) return {};
    return {
      lost:
        this.lost > 0
          ? { by: 'peer', count: this.lost, afterMs: millis(after) }
          : { count: near.length, afterMs: millis(after) },
    };
  }

  /** Without a timeout that explains them. Those of one moment are a process that ended, and peers that use their connections later. */
  private scatteredResets(): number {
    const resets = [...(this.resets ?? []), ...(this.crossed ?? [])];
    return momentsOf(resets, 0) < MOMENTS.least ? 0 : resets.length;
  }
}

/** How many of them ended when that timeout closes: only its own ends tell of it. */
function nearTo({ ms, withinMs }: IdleClose, closes: readonly Close[] = []): number {
  const slack = jitter(ms) + withinMs;
  return closes.filter(({ low, high }) => low <= ms + slack && high >= ms - slack).length;
}

const jitter = (ms: number) => Math.max(TIMEOUT.jitterMs, ms * TIMEOUT.jitterShare);

/** The time that fits most of them, if it fits enough. A spread has none; neither have those that ended at one moment. */
export function timeoutOf(closes: readonly Close[]): Omit<IdleClose, 'by'> | undefined {
  if (closes.length < TIMEOUT.closes) return undefined;
  let best: readonly Close[] = [];
  for (const { low: start } of closes) {
    const fitting = closes.filter(
      ({ low, high }) => low - jitter(start) <= start && start <= high + jitter(start),
    );
    if (fitting.length > best.length) best = fitting;
  }
  const low = Math.max(...best.map((close) => close.low));
  const high = Math.min(...best.map((close) => close.high));
  const ms = (low + high) / 2;
  const withinMs = Math.abs(high - low) / 2;
  if (best.length < TIMEOUT.closes || best.length < closes.length * TIMEOUT.share) return undefined;
  if (withinMs > Math.max(TIMEOUT.widthMs, ms * TIMEOUT.widthShare)) return undefined;
  if (momentsOf(best, ms) < MOMENTS.least) return undefined;
  return { ms: millis(ms), withinMs: millis(withinMs), closes: best.length, of: closes.length };
}

/** Moments at which connections ended, those close together as one. */
function momentsOf(closes: readonly Close[], ms: number): number {
  const apart = Math.max(MOMENTS.apartMs, ms * MOMENTS.apartShare);
  const moments = closes.map(({ at }) => at).sort((a, b) => a - b);
  return moments.filter((at, index) => index === 0 || at - (moments[index - 1] ?? at) > apart).length;
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
