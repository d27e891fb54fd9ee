import { parseFilter } from '../analyze/filter.js';
import type { ReplayControl } from '../model/replay.js';
import type { Report } from '../model/report.js';
import { frameOf } from './frame.js';
import { GLYPHS } from './glyphs.js';
import type { InputEvent } from './input.js';
import { type Action, actionOf } from './keys.js';
import { reduce, type UiEvent } from './reduce.js';
import { replayEffect } from './replay-keys.js';
import { RowWork } from './row-work.js';
import { LiveScreen } from './screen.js';
import { dieOfHangup, type Ending, ignoreBrokenTerminal, watchExits } from './screen-exits.js';
import { isStale, settleListed } from './settle.js';
import { isReplay, startUi, type UiState } from './state.js';
import { terminalFacts } from './terminal-facts.js';

export interface TuiOptions {
  readonly reports: AsyncIterable<Report>;
  /** Read by the collector at each tick; the screen changes the interval. */
  readonly pace: { intervalMs: number; paused?: boolean };
  /** Set where the reports are of a recording: the screen moves in it. */
  readonly control?: ReplayControl;
  readonly host: string;
  readonly demo: boolean;
  readonly ascii: boolean;
  readonly color: boolean;
  readonly mouse: boolean;
  readonly bell: boolean;
  readonly filter?: string;
  /** Ends the source of reports; given two seconds. */
  readonly onEnd?: () => void | Promise<void>;
}

/**
 * Shows reports full-screen until a key, a signal or the end of the reports ends it. Gives the exit status: 0, 130 for
 * Ctrl-C, 128 + n for a signal, 1 after a crash (whose stack it has printed). The terminal is given back in any case.
 * Throws ParseError for a `filter` that cannot be read, before it touches the terminal, and what `reports` throws.
 */
export async function runTui(options: TuiOptions): Promise<number> {
  const app = new App(options);
  return app.run();
}

const ON_END_MS = 2000;

class App {
  private state: UiState;
  private screen: LiveScreen | undefined;
  private drawing = false;
  private readonly work = new RowWork(
    () => this.state,
    (state) => {
      this.state = state;
      this.schedule();
    },
  );
  private finish: (ending: Ending) => void = () => undefined;
  private readonly facts;

  constructor(private readonly options: TuiOptions) {
    const { ascii, color, demo, filter, host, pace } = options;
    this.facts = terminalFacts(process.env, { ascii, color });
    this.state = startUi({
      glyphs: GLYPHS[this.facts.glyphs],
      braille: this.facts.braille,
      size: { columns: 80, rows: 24 },
      now: Date.now(),
      host,
      demo,
      intervalMs: pace.intervalMs,
      ...(filter !== undefined && { filter: parseFilter(filter) }),
    });
  }

  async run(): Promise<number> {
    const ended = new Promise<Ending>((resolve) => {
      this.finish = resolve;
    });
    const stopWatching = watchExits((ending) => {
      // At once: after a crash nothing that was planned may run before the terminal is given back.
      this.screen?.close();
      this.finish(ending);
    });
    const clock = setInterval(() => this.dispatch({ type: 'tick', now: Date.now() }), 1000);
    try {
      this.screen = await this.openScreen();
      this.dispatch({ type: 'resize', size: this.screen.size });
      const iterator = this.options.reports[Symbol.asyncIterator]();
      void this.follow(iterator);
      const ending = await ended;
      void iterator.return?.().catch(() => undefined);
      const status = await this.end(ending);
      if (this.screen.isGone) dieOfHangup();
      return status;
    } finally {
      clearInterval(clock);
      this.work.stop();
      this.screen?.close();
      ignoreBrokenTerminal();
      stopWatching();
    }
  }

  private openScreen(): Promise<LiveScreen> {
    return LiveScreen.open({
      facts: this.facts,
      mouse: this.options.mouse,
      onInput: (input) => this.receive(input),
      onResize: (size) => this.dispatch({ type: 'resize', size }),
      onReturn: () => this.schedule(),
    });
  }

  private async end({ status, error }: Ending): Promise<number> {
    this.screen?.close();
    if (error instanceof SourceEnded) {
      await this.callOnEnd();
      throw error.cause;
    }
    if (error !== undefined) console.error(error);
    await this.callOnEnd();
    return status;
  }

  private async callOnEnd(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ON_END_MS);
    });
    await Promise.race([Promise.resolve(this.options.onEnd?.()), late]);
    clearTimeout(timer);
  }

  private async follow(iterator: AsyncIterator<Report>): Promise<void> {
    try {
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
        this.show(next.value);
      }
      this.finish({ status: 0 });
    } catch (cause) {
      this.finish({ status: 1, error: new SourceEnded(cause) });
    }
  }

  private show(report: Report): void {
    if (this.options.bell && report.events.some(({ phase }) => phase === 'raised')) this.screen?.bell();
    this.state = reduce(this.state, { type: 'report', report });
    this.state = settleListed(this.state);
    this.schedule();
  }

  private receive(input: InputEvent): void {
    const effect = input.kind === 'key' ? this.effectOf(input.name) : undefined;
    if (effect !== undefined) effect();
    else this.dispatch({ type: 'input', input });
  }

  /** Keys that touch more than the state. While the filter is typed, letters are text, and control keys still work. */
  private effectOf(key: string): (() => void) | undefined {
    if (key === 'C-\\') return () => this.finish({ status: 131 });
    const isText = this.state.filter.draft !== undefined && !key.startsWith('C-');
    const action = isText ? undefined : actionOf(key, isReplay(this.state));
    if (action === undefined) return undefined;
    const { control } = this.options;
    const effect = control && replayEffect(control, action, this.state);
    const seen =
      effect &&
      (() => {
        effect();
        this.dispatch({ type: 'speed', speed: control.speed });
      });
    return this.effects[action] ?? seen;
  }

  private readonly effects: Partial<Record<Action, () => void>> = {
    quit: () => this.finish({ status: 0 }),
    interrupt: () => this.finish({ status: 130 }),
    suspend: () => this.screen?.suspend(),
    redraw: () => {
      this.screen?.redraw();
      this.schedule();
    },
  };

  private dispatch(event: UiEvent): void {
    this.state = reduce(this.state, event);
    const { pace, control } = this.options;
    pace.intervalMs = this.state.intervalMs;
    if (control !== undefined) control.paused = this.state.pausedAt !== undefined;
    this.schedule();
  }

  /** Many events, one frame. A crash in a view ends the program as any crash does. */
  private schedule(): void {
    if (this.drawing) return;
    this.drawing = true;
    setImmediate(() => {
      this.drawing = false;
      this.screen?.draw(frameOf(this.state));
      if (isStale(this.state)) this.work.start();
    });
  }
}

/** The reports broke off: the error is the caller's to explain. */
class SourceEnded extends Error {
  constructor(cause: unknown) {
    super('the source of reports ended', { cause });
  }
}
