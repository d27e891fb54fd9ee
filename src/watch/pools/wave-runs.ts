/** So many are kept: enough for a period. */
const KEPT = 16;
/** A wave replaces at least so many connections, and half of those that were open. */
const LEAST_WAVE = 3;
/** Ten per cent of the smallest wave: so few that come and go are no part of one. */
const QUIET_SHARE = 0.05;
/** It is quiet before and after a wave for so many times as long; the edges of the watch may cut that off. */
const QUIET_TIMES = 4;
/** Waves that follow each other sooner, in looks, are connections that are replaced all the time. */
const LEAST_PERIOD = 10;
/** A wave that two looks show is short, wherever the watch begins or ends. */
const SHORT = 2;

/** Looks in a row at which connections came or went; numbers are those of looks. */
interface Run {
  readonly first: number;
  last: number;
  /** Quiet looks before it. */
  readonly quiet: number;
  /** Wall clock of the first look at which half was replaced; absent: none. */
  time?: number;
}

/** What came and went since the look before, and what was open there. */
interface Turnover {
  readonly created: number;
  readonly closed: number;
  readonly open: number;
}

/** Moments at which half of the connections or more were replaced, with quiet before and after them. */
export class WaveRuns {
  private look = 0;
  /** The last of them; those before it follow. */
  private run: Run | undefined;
  private readonly runs: Run[] = [];

  /** `both`: of this look and the one before, as the closing may be seen one look before the opening. */
  add(time: number, now: Turnover, both: Turnover): void {
    const look = this.look++;
    const least = Math.max(LEAST_WAVE, both.open / 2);
    const isWave = both.closed >= least && both.created >= least;
    if (!isWave && Math.max(now.created, now.closed) <= now.open * QUIET_SHARE) return;
    const { run } = this;
    if (run === undefined || look > run.last + 1) this.begin(look, run);
    else run.last = look;
    if (isWave && this.run !== undefined) this.run.time ??= time;
  }

  /** Wall clock of the waves, oldest first. */
  times(): number[] {
    const all = this.run === undefined ? this.runs : [...this.runs, this.run];
    const waves = all.filter((run, index) => this.isApart(run, all[index + 1]));
    const tooSoon = waves.some(
      (run, index) => run.first - (waves[index - 1]?.first ?? -Infinity) < LEAST_PERIOD,
    );
    return tooSoon ? [] : waves.flatMap(({ time }) => time ?? []);
  }

  private begin(look: number, before: Run | undefined): void {
    // The first look shows nothing that comes or goes.
    const quiet = before === undefined ? Math.max(0, look - 1) : look - before.last - 1;
    if (before !== undefined && this.runs.push(before) > KEPT) this.runs.shift();
    this.run = { first: look, last: look, quiet };
  }

  private isApart(run: Run, next: Run | undefined): boolean {
    if (run.time === undefined) return false;
    const looks = run.last - run.first + 1;
    const isEnough = (quiet: number, isCut: boolean) =>
      quiet >= looks * QUIET_TIMES || (isCut && (quiet >= looks || looks <= SHORT));
    const after = next === undefined ? this.look - 1 - run.last : next.quiet;
    return isEnough(run.quiet, run.first - run.quiet <= 1) && isEnough(after, next === undefined);
  }
}
