/** So long without a connection that comes or goes ends a wave, and no wave takes longer than this. */
const QUIET_MS = 30_000;
const LONGEST_MS = 120_000;
/** All the time is no wave: it is quiet for so many times as long. */
const QUIET_TIMES = 4;
const LEAST = 3;
const KEPT = 16;

interface Window {
  /** Wall clock of its begin, and monotonic ms. */
  readonly time: number;
  readonly begin: number;
  end: number;
  readonly open: number;
  created: number;
  closed: number;
}

/**
 * Waves that take a while: lifetimes that begin together are spread a little (HikariCP takes up to 2.5 % off maxLifetime: 45 s of 30 minutes), so
 * that half of a pool is replaced within a minute or two, and then none for long.
 */
export class WaveWindows {
  private current: Window | undefined;
  private readonly found: { readonly time: number; readonly ms: number }[] = [];

  /** What came and went until a look at `at` (monotonic ms) and `time` (wall clock); `open`: before it. */
  add(
    at: number,
    time: number,
    { created, closed, open }: Pick<Window, 'created' | 'closed' | 'open'>,
  ): void {
    if (created + closed === 0) {
      if (this.current !== undefined && at - this.current.end >= QUIET_MS) this.finish(this.current);
      return;
    }
    this.current ??= { time, begin: at, end: at, open, created: 0, closed: 0 };
    this.current.end = at;
    this.current.created += created;
    this.current.closed += closed;
  }

  /** Begins (wall clock) and the longest; `undefined` where there are none. */
  describe(watchedMs: number): { readonly times: readonly number[]; readonly longestMs: number } | undefined {
    const total = this.found.reduce((sum, { ms }) => sum + Math.max(ms, QUIET_MS), 0);
    if (this.found.length === 0 || total * QUIET_TIMES > watchedMs) return undefined;
    return {
      times: this.found.map(({ time }) => time),
      longestMs: Math.max(...this.found.map(({ ms }) => ms)),
    };
  }

  private finish({ time, begin, end, open, created, closed }: Window): void {
    this.current = undefined;
    const least = Math.max(LEAST, open / 2);
    if (end - begin > LONGEST_MS || created < least || closed < least) return;
    if (this.found.push({ time, ms: end - begin }) > KEPT) this.found.shift();
  }
}
