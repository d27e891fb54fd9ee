import pty, { type IPty } from '@lydell/node-pty';
import headless from '@xterm/headless';
import { PATIENCE_MS } from './poll.js';

export interface PtyOptions {
  readonly columns?: number;
  readonly rows?: number;
  /** The whole environment beside PATH, HOME, LANG and TERM; `undefined` removes one of them. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

export interface PtyExit {
  readonly exitCode: number;
  readonly signal?: number | undefined;
}

const POLL_MS = 15;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * A program in a real pty, its output read by a real terminal parser: what a person would see, and the modes that the
 * program leaves behind. Answers the questions of programs (DA, DSR) as a terminal does.
 */
export class PtyTerminal {
  readonly terminal: InstanceType<typeof headless.Terminal>;
  private readonly process: IPty;
  private readonly chunks: Buffer[] = [];
  private pending = 0;
  private lastOutput = Date.now();
  exit: PtyExit | undefined;

  constructor(file: string, args: readonly string[], options: PtyOptions = {}) {
    const { columns = 120, rows = 40, env = {}, cwd = process.cwd() } = options;
    this.terminal = new headless.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 1000 });
    const { PATH, HOME } = process.env;
    const given = { PATH, HOME, LANG: 'C.UTF-8', TERM: 'xterm-256color', TZ: 'UTC', ...env };
    this.process = pty.spawn(file, [...args], {
      name: given.TERM ?? 'xterm-256color',
      cols: columns,
      rows,
      cwd,
      env: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Record<
        string,
        string
      >,
      encoding: null,
    });
    this.process.onData((data) => this.receive(Buffer.from(data)));
    this.terminal.onData((data) => {
      if (this.exit === undefined) this.process.write(data);
    });
    this.process.onExit((exit) => {
      this.exit = exit;
    });
  }

  private receive(data: Buffer): void {
    this.chunks.push(data);
    this.lastOutput = Date.now();
    this.pending++;
    this.terminal.write(data, () => {
      this.pending--;
    });
  }

  get pid(): number {
    return this.process.pid;
  }

  /** All bytes so far. */
  get raw(): string {
    return Buffer.concat(this.chunks).toString('utf8');
  }

  forgetRaw(): void {
    this.chunks.length = 0;
  }

  write(text: string): void {
    this.process.write(text);
  }

  resize(columns: number, rows: number): void {
    this.terminal.resize(columns, rows);
    this.process.resize(columns, rows);
  }

  /** The visible lines, without spaces at their ends. */
  get screen(): string[] {
    const { active } = this.terminal.buffer;
    return Array.from(
      { length: this.terminal.rows },
      (_, row) => active.getLine(active.viewportY + row)?.translateToString(true) ?? '',
    );
  }

  get text(): string {
    return this.screen.join('\n');
  }

  /** What a program can leave switched on. */
  get modes() {
    const { modes, buffer } = this.terminal;
    const core = (this.terminal as unknown as { _core: { coreService: { isCursorHidden: boolean } } })._core;
    return {
      alternate: buffer.active.type === 'alternate',
      cursorHidden: core.coreService.isCursorHidden,
      mouse: modes.mouseTrackingMode,
      bracketedPaste: modes.bracketedPasteMode,
      applicationCursor: modes.applicationCursorKeysMode,
    };
  }

  /** Waits until the screen matches; the error shows the screen as it was. */
  async waitFor(wanted: RegExp | ((text: string) => boolean), ms = PATIENCE_MS): Promise<void> {
    const matches = typeof wanted === 'function' ? wanted : (text: string) => wanted.test(text);
    await this.until(
      () => this.pending === 0 && matches(this.text),
      ms,
      () => `${wanted} on\n${this.text}`,
    );
  }

  async waitForExit(ms = PATIENCE_MS): Promise<PtyExit> {
    await this.until(
      () => this.exit !== undefined && this.pending === 0,
      ms,
      () => `the end; on\n${this.text}`,
    );
    return this.exit as PtyExit;
  }

  /** Waits until nothing was written for a while. */
  async idle(quietMs = 150, ms = PATIENCE_MS): Promise<void> {
    await this.until(
      () => this.pending === 0 && Date.now() - this.lastOutput > quietMs,
      ms,
      () => 'no more output',
    );
  }

  private async until(holds: () => boolean, ms: number, what: () => string): Promise<void> {
    const start = Date.now();
    while (!holds()) {
      if (Date.now() - start > ms) throw new Error(`waited ${ms} ms for ${what()}`);
      await sleep(POLL_MS);
    }
  }

  /** The terminal window is closed: the program's side of the pty hangs up. */
  hangUp(): void {
    (this.process as IPty & { destroy(): void }).destroy();
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    try {
      process.kill(this.pid, signal);
    } catch {
      // Ended before.
    }
  }
}
