import { LONG_IDLE_MS, type ProbeFacts } from '../../model/keepalive.js';
import { TIMER_KINDS } from '../../model/sockets.js';
import type { SocketTable } from '../../model/table.js';
import type { TrafficShape } from '../../model/traffic.js';
import { millis } from '../../model/units.js';
import { TrafficTally } from './traffic.js';

const KEEPALIVE = TIMER_KINDS.indexOf('keepalive');

/** TCP keep-alive of the established connections of one look (KERNEL.md 10). */
export class ProbeTally {
  private kept = 0;
  private bare = 0;
  private bareLongIdle = 0;
  private unanswered = 0;
  private nextProbeMs = Number.NaN;
  private readonly ofLongIdle = new TrafficTally();

  begin(): void {
    this.kept = this.bare = this.bareLongIdle = this.unanswered = 0;
    this.nextProbeMs = Number.NaN;
    this.ofLongIdle.begin();
  }

  /** `timerMs`: until the next probe; `quietMs`: NaN where unknown. */
  addKept(timerMs: number, unanswered: number): void {
    this.kept++;
    if (unanswered > 0) this.unanswered++;
    if (!(this.nextProbeMs <= timerMs)) this.nextProbeMs = timerMs;
  }

  /** `shape`: what data did on it during the whole watch. */
  addBare(quietMs: number, shape: TrafficShape): void {
    this.bare++;
    if (!(quietMs >= LONG_IDLE_MS)) return;
    this.bareLongIdle++;
    this.ofLongIdle.add(shape);
  }

  describe(): ProbeFacts {
    const { kept, bare, bareLongIdle, unanswered, nextProbeMs } = this;
    const traffic = this.ofLongIdle.describe();
    return {
      kept,
      bare,
      bareLongIdle,
      unanswered,
      ...(traffic && { longIdleTraffic: traffic }),
      ...(!Number.isNaN(nextProbeMs) && { nextProbeMs: millis(nextProbeMs) }),
    };
  }
}

/**
 * Tells of a row that is established whether it has TCP keep-alive: only where no other timer is pending it can be told. On loopback no peer
 * vanishes without a FIN or a reset, so that those count as neither.
 */
export function probeReader(
  table: SocketTable,
): (row: number, quietMs: number, tally: ProbeTally, shape: TrafficShape) => void {
  const kinds = table.column('timerKind');
  const left = table.column('timerMs');
  const sent = table.column('timerRetransmits');
  const { family, remoteAddress } = table;
  return (row, quietMs, tally, shape) => {
    const kind = kinds?.[row] ?? Number.NaN;
    if (kind === KEEPALIVE) tally.addKept(left?.[row] ?? Number.NaN, sent?.[row] || 0);
    else if (Number.isNaN(kind) && !isLoopback(family[row], remoteAddress, row))
      tally.addBare(quietMs, shape);
  };
}

/** 127.0.0.0/8 and ::1. */
function isLoopback(family: number | undefined, words: Uint32Array, row: number): boolean {
  const last = words[row * 4 + 3] ?? 0;
  if (family === 4) return last >>> 24 === 127;
  return last === 1 && words[row * 4] === 0 && words[row * 4 + 1] === 0 && words[row * 4 + 2] === 0;
}
