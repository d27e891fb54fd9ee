import { PassThrough } from 'node:stream';
import type { Widgets } from 'blessed';
import type { Frame } from './frame.js';
import type { InputEvent } from './input.js';
import type { Size } from './layout.js';
import { BrailleCharts } from './screen-charts.js';
import { TerminalInput } from './screen-input.js';
import { paintLines } from './screen-paint.js';
import { Suspender } from './screen-suspend.js';
import type { TerminalFacts } from './terminal-facts.js';

export interface ScreenOptions {
  readonly facts: TerminalFacts;
  readonly mouse: boolean;
  onInput(event: InputEvent): void;
  onResize(size: Size): void;
  /** The terminal was somebody else's for a while: everything must be drawn anew. */
  onReturn(): void;
}

type Blessed = typeof import('blessed');
/** What the types of blessed leave out. */
interface Internals {
  readonly tput: { brokenACS: boolean };
  readonly program: { isAlt: boolean; flush(): void; _write(text: string): void; bell(): void };
  enter(): void;
  leave(): void;
}

const PASTE_ON = '\x1b[?2004h';
const PASTE_OFF = '\x1b[?2004l';
const CLEAR = '\x1b[H\x1b[2J';

/** The terminal as a screen: draws frames, reads input, and is always given back. */
export class LiveScreen {
  private readonly input: TerminalInput;
  private readonly suspender: Suspender;
  private readonly box: Widgets.BoxElement;
  private readonly charts: BrailleCharts;
  private closed = false;

  private constructor(
    private readonly blessed: Blessed,
    makeLine: (options: Record<string, unknown>) => unknown,
    private readonly screen: Widgets.Screen & Internals,
    private readonly options: ScreenOptions,
  ) {
    this.box = blessed.box({ parent: screen, top: 0, left: 0, width: '100%', height: '100%', wrap: false });
    this.charts = new BrailleCharts(screen, makeLine as never, options.facts.color);
    this.input = new TerminalInput(process.stdin, options.onInput);
    this.suspender = new Suspender({ leave: () => this.leave(), enter: () => this.enter() });
    process.stdout.on('resize', this.onResize);
    process.on('exit', this.onExit);
    this.takeTerminal();
  }

  /** Loads the screen library, for it is slow, and takes the terminal. stdin and stdout must be terminals. */
  static async open(options: ScreenOptions): Promise<LiveScreen> {
    const { facts } = options;
    // All motion reports and the old UTF-8 mouse mode stay off (TUI.md, fault 16).
    process.env.BLESSED_FORCE_MODES = 'SGRMOUSE=1,VT200MOUSE=1,CELLMOTION=1';
    // The charts call `new Buffer`: its warning would be written across the screen.
    process.noDeprecation = true;
    const { default: blessed } = (await import('blessed')) as unknown as { default: Blessed };
    const { default: makeLine } = await import('blessed-contrib/lib/widget/charts/line.js');
    // Never the system's terminfo, which blessed misreads (faults 1 and 2).
    (blessed as unknown as { tput: { ipaths: string[] } }).tput.ipaths = [];
    const screen = blessed.screen({
      terminal: facts.terminfo,
      // Keys are read by `TerminalInput`: the library would take pasted text for keys (fault 18).
      input: new PassThrough(),
      smartCSR: true,
      fullUnicode: facts.unicode,
      forceUnicode: facts.unicode,
      warnings: false,
    } as Widgets.IScreenOptions) as Widgets.Screen & Internals;
    // Lines as UTF-8 or not at all: switching character sets leaks raw bytes (fault 11).
    screen.tput.brokenACS = true;
    return new LiveScreen(blessed, makeLine, screen, options);
  }

  get size(): Size {
    return { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 };
  }

  /** After `close`: there was no terminal any more to give back to. */
  get isGone(): boolean {
    return this.input.isGone;
  }

  draw(frame: Frame): void {
    if (this.closed || this.suspender.isAway) return;
    const { facts } = this.options;
    const { unicode } = this.blessed as unknown as { unicode: { charWidth(character: string): number } };
    this.box.setContent(
      paintLines(frame.lines, { depth: facts.color, unicode: facts.unicode, charWidth: unicode.charWidth }),
    );
    this.charts.draw(frame.charts);
    this.screen.render();
  }

  /** Forgets what the terminal shows, so that the next frame is drawn whole. */
  redraw(): void {
    if (this.suspender.isAway) return;
    this.screen.alloc();
    this.screen.program._write(CLEAR);
  }

  suspend(): void {
    this.suspender.suspendGroup();
  }

  bell(): void {
    if (this.suspender.isAway) return;
    this.screen.program._write('\x07');
    this.screen.program.flush();
  }

  /** Gives the terminal back, once. Throws nothing: it runs in crashes, and on terminals that went away. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.suspender.close();
    process.stdout.off('resize', this.onResize);
    process.off('exit', this.onExit);
    this.leave();
    attempt(() => this.screen.destroy());
    process.stdin.unref();
  }

  private readonly onExit = (): void => this.close();

  private readonly onResize = (): void => this.options.onResize(this.size);

  private takeTerminal(): void {
    const { facts, mouse } = this.options;
    this.input.start();
    if (facts.terminfo === 'linux') return;
    this.screen.program._write(PASTE_ON);
    if (mouse) this.screen.program.enableMouse();
  }

  private leave(): void {
    const { program } = this.screen;
    attempt(() => {
      if (this.options.facts.terminfo === 'linux') {
        // The console has no second screen to come back from (fault 21).
        program._write(CLEAR);
      } else {
        program.disableMouse();
        program._write(PASTE_OFF);
      }
      this.screen.leave();
      program.flush();
    });
    this.input.stop();
  }

  private enter(): void {
    if (this.closed) return;
    this.screen.enter();
    this.takeTerminal();
    this.screen.alloc();
    this.options.onResize(this.size);
    this.options.onReturn();
  }
}

function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // The terminal is gone, or half-way taken: what could be given back is.
  }
}
